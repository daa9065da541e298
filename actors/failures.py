"""How an incarnation ends badly: the errors that say what is to be done about it, and its notice to the supervisor."""

import traceback

from actors.messages.supervision import ChildExited


class Transient(Exception):  # noqa: N818 - a cause, not a name for logs
    """It may work later: restart, but not before `retry_after_s`."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NeedsOperator(Exception):  # noqa: N818
    """Retrying cannot help: park until a person has changed something."""


class Escalated(Exception):  # noqa: N818
    """A supervisor gives up; the text is the chain of what happened below it."""


class Fenced(Exception):  # noqa: N818
    """An incarnation that was replaced tried to act."""


def failed(path: str, epoch: int, error: BaseException, where: str, ended_s: float) -> ChildExited:
    """The notice of an incarnation that `error` ended in one of its hooks: `where` is init, handle or terminate."""
    frames = traceback.extract_tb(error.__traceback__)
    kind = "start_failed" if where == "init" else "failed"
    return ChildExited(
        path=path,
        epoch=epoch,
        kind="escalated" if isinstance(error, Escalated) else kind,
        error=say(error),
        where=f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "",
        traceback="".join(traceback.format_exception(error))[-4000:],
        retry_after_s=error.retry_after_s if isinstance(error, Transient) else 0.0,
        park=say(error).partition(": ")[2] or "needs an operator" if isinstance(error, NeedsOperator) else "",
        ended_s=ended_s,
    )


def say(error: BaseException) -> str:
    """An exception in a line. Its own text may fail too, and no notice may be lost to that."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except BaseException:
        return type(error).__name__
