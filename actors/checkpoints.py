"""What must survive a restart of the process and can be lost for a while: kept for its owners, on a thread of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from actors import paths
from actors.checkpoint_file import Kept, StorageError, open_file
from actors.mailbox import Lane
from actors.messages.checkpoints import CheckpointRestored, CheckpointTaken, CheckpointWanted
from actors.supervised import Supervised

GATHER_S = 0.05  # ours: what streams hand in together, such as at a stop, costs one transaction
GATHERED_MAX = 256
TRIES = 2  # supervision.md 17: so many abnormal exits soon after loading, and the next one starts cold
SLACK_MS = 60_000  # ours: a checkpoint further in the future is of another market or another clock

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Proved:
    """The process has lived long enough with what it loaded."""


@dataclass(frozen=True, slots=True)
class _Write:
    """Whatever waited has been gathered."""


class Checkpoints(Supervised):
    """Owners send `CheckpointTaken` and ask for it with `CheckpointWanted` when they begin.

    Nothing waits for the disk: what one owner sends twice before it is written is merged in the mailbox. What was loaded
    twice and whose loader ended abnormally within `trial_s` each time is set aside. `fresh`: a simulated or replayed market
    begins anew with every process, so what was kept of another one is dropped at the start.
    """

    def init(self, *, file: Path, busy_s: float, trial_s: float, fresh: bool) -> None:
        self._trial_s = trial_s
        self._handed: dict[tuple[str, str], tuple[int, float, int]] = {}  # of which time, when, how often in a row
        self._failures = self._written = 0
        self._gathered: dict[tuple[str, str], Kept] = {}
        self._file, problem = open_file(file, busy_s)
        if problem:
            self.log.warning("checkpoints_set_aside", reason=problem)
        if self.epoch == 1:
            self._begin(fresh=fresh)

    def handle(self, message: Any) -> None:
        match message:
            case CheckpointTaken():
                self._keep(message)
            case CheckpointWanted(owner=owner, part=part):
                self._write()
                self._hand(owner, part)
            case _Write():
                self._write()
            case _Proved():
                self._try(self._file.trust)
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:
        if not hasattr(self, "_file"):
            return
        self._write()
        if reason != "failed":
            self._try(self._file.trust)
        self._file.close()

    def _begin(self, *, fresh: bool) -> None:
        if fresh:
            self._file.clear()
        if not self._file.begin(self.now_ms, TRIES):
            self.log.warning("checkpoints_set_aside", reason=f"{TRIES} processes ended soon after loading them")
        self._file.forget(self.now_ms)
        self.timer.once("proved", self._trial_s, _Proved())

    def _keep(self, taken: CheckpointTaken) -> None:
        kept = Kept(
            owner=taken.owner,
            part=taken.part,
            schema=taken.schema,
            at_ms=taken.at_ms,
            until_ms=taken.at_ms + int(taken.horizon_s * 1000),
            state=msgspec.msgpack.encode(taken.state),
        )
        if not self._gathered:
            self.timer.once("write", GATHER_S, _Write())
        self._gathered[kept.owner, kept.part] = kept
        if len(self._gathered) >= GATHERED_MAX:
            self._write()

    def _write(self) -> None:
        gathered, self._gathered = self._gathered, {}
        if gathered and self._try(lambda: self._file.save(gathered.values())):
            self._written += len(gathered)
            self.note(f"{self._written} checkpoints written")

    def _hand(self, owner: str, part: str) -> None:
        """Answer with what is kept, if it can be trusted; else with nothing, and say why."""
        kept, reason = None, ""
        try:
            kept = self._file.load(owner, part)
            reason = self._distrusted(kept) if kept is not None else ""
            if reason:
                self._file.set_aside(owner, part)
        except StorageError as error:
            reason = str(error)
            self._try(lambda: self._file.set_aside(owner, part))
        if reason:
            self.log.warning("checkpoint_refused", owner=owner, part=part, reason=reason[:300])
        answer = CheckpointRestored(part=part)
        if kept is not None and not reason and self._is_current(kept):
            answer = CheckpointRestored(part=part, schema=kept.schema, at_ms=kept.at_ms, state=kept.state)
        self.send(owner, answer)

    def _is_current(self, kept: Kept) -> bool:
        return kept.at_ms - SLACK_MS <= self.now_ms <= kept.until_ms

    def _distrusted(self, kept: Kept) -> str:
        """Why a checkpoint is not handed out again: whoever asks soon after loading the same one has failed on it."""
        key, now_s = (kept.owner, kept.part), self.system.clock.monotonic()
        at_ms, handed_s, times = self._handed.get(key, (0, 0.0, 0))
        again = at_ms == kept.at_ms and now_s - handed_s < self._trial_s
        times = times + 1 if again else 1
        self._handed[key] = (kept.at_ms, now_s, times)
        return f"loaded {TRIES} times, and failed soon after" if times > TRIES else ""

    def _try(self, work: Any) -> bool:
        """Do what writes the file; a failure costs this checkpoint, and is told at the 1st, 2nd, 4th, 8th ..."""
        try:
            work()
        except StorageError as error:
            self._failures += 1
            if self._failures & (self._failures - 1) == 0:
                self.log.warning("checkpoint_not_written", reason=str(error)[:300], n=self._failures)
            self.judge_itself("degraded", "checkpoints cannot be written")
            return False
        self.judge_itself("healthy")
        return True


def keep(actor: Supervised, part: str, state: Any, *, schema: int, horizon_s: float) -> None:
    """Have an actor's state kept as it is now. Never waits, and counts for nothing where nobody keeps checkpoints."""
    if actor.system.find(paths.CHECKPOINTS) is not None:
        taken = CheckpointTaken(
            owner=actor.path, part=part, schema=schema, at_ms=actor.now_ms, horizon_s=horizon_s, state=state
        )
        actor.send(paths.CHECKPOINTS, taken, lane=Lane.DATA, merge=(actor.path, part))


def ask_for(actor: Supervised, part: str) -> bool:
    """Ask for what is kept of an actor; False where nobody keeps checkpoints, so that no answer will come."""
    if actor.system.find(paths.CHECKPOINTS) is None:
        return False
    return actor.send(paths.CHECKPOINTS, CheckpointWanted(owner=actor.path, part=part))


def read(actor: Supervised, restored: CheckpointRestored, kind: type[Value], *, schema: int) -> Value | None:
    """The state in an answer; None where there is none, or where it is of another schema or broken, which is logged."""
    if restored.state is None:
        return None
    if restored.schema != schema:
        reason = f"schema {schema} expected, was {restored.schema}"
    else:
        try:
            return msgspec.msgpack.decode(restored.state, type=kind)
        except msgspec.MsgspecError as error:
            reason = str(error)
    actor.log.warning("checkpoint_refused", owner=actor.path, part=restored.part, reason=reason[:300])
    return None
