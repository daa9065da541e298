"""Valid by default; override what matters to the test."""

from types import MappingProxyType
from typing import Any

from actors.mailbox import Lane, Letter
from actors.messages.supervision import ChildExited
from actors.supervised import Supervised
from supervisors.spec import CORE, SUBTREE, ChildSpec, Exhausted, Profile, SupervisorSpec
from supervisors.supervisor import Supervisor
from tests.doubles import FailableActor


def a_letter(message: Any = "hello", lane: Lane = Lane.URGENT, **envelope: Any) -> Letter:
    return Letter(message, lane, **envelope)


def a_profile(**values: Any) -> Profile:
    defaults = {
        "base_s": 1,
        "factor": 2,
        "cap_s": 10,
        "max_restarts": 3,
        "window_s": 100,
        "stable_s": 60,
        "on_exhausted": Exhausted.ESCALATE,
        "jitter": 0.0,
    }
    return Profile(**{**defaults, **values})


def a_child(child_id: str = "a", actor: type[Supervised] = FailableActor, **values: Any) -> ChildSpec:
    args = MappingProxyType(values.pop("args", {}))
    return ChildSpec(id=child_id, actor=actor, args=args, **{"profile": CORE, **values})


def a_subtree(child_id: str, *children: ChildSpec, spec: dict[str, Any] | None = None, **values: Any) -> ChildSpec:
    below = SupervisorSpec(children=children, **(spec or {}))
    return a_child(child_id, Supervisor, args={"spec": below}, **{"profile": SUBTREE, **values})


def an_exit(path: str = "/a", epoch: int = 1, kind: str = "failed", **values: Any) -> ChildExited:
    error = "" if kind in {"finished", "stopped"} else "RuntimeError: it broke"
    return ChildExited(path=path, epoch=epoch, kind=kind, **{"error": error, **values})
