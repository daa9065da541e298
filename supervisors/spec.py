"""What a tree is made of, as data, and the checks that run before a thread starts."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from actors.backoff import Backoff
from actors.mailbox import MailboxSpec
from actors.supervised import Supervised

CHILD_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
PATH_MAX_CHARS = 200
STOP_BUDGET_S = 7.5  # supervision.md 16: 8 s less the closing of clock and logs


class Restart(StrEnum):
    """When a child that ended is started again: always, or only after an abnormal end."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"


class Exhausted(StrEnum):
    """What happens when a child fails too often: its supervisor gives up, or the child is parked."""

    ESCALATE = "escalate"
    PARK = "park"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Restart arithmetic (supervision.md 8). The k-th failure in a row waits `min(cap, base * factor ** (k - 2))` s,
    the first none; a child that ran `stable_s` starts over at k = 1. More than `max_restarts` failures within
    `window_s` exhaust it. A parked child is tried again every `park_retry_s`, or not at all.
    """

    base_s: float
    factor: float
    cap_s: float
    max_restarts: int
    window_s: float
    stable_s: float
    on_exhausted: Exhausted
    park_retry_s: float | None = None
    jitter: float = 0.5


# supervision.md 8.4: starting values to be measured.
CORE = Profile(
    base_s=0.5, factor=2, cap_s=15, max_restarts=6, window_s=300, stable_s=60, on_exhausted=Exhausted.ESCALATE
)
IO = Profile(
    base_s=1,
    factor=2,
    cap_s=60,
    max_restarts=10,
    window_s=900,
    stable_s=120,
    on_exhausted=Exhausted.PARK,
    park_retry_s=300,
)
SUBTREE = Profile(
    base_s=1, factor=2, cap_s=30, max_restarts=3, window_s=600, stable_s=120, on_exhausted=Exhausted.ESCALATE
)
BULKHEAD = Profile(
    base_s=2,
    factor=2,
    cap_s=120,
    max_restarts=3,
    window_s=1800,
    stable_s=240,
    on_exhausted=Exhausted.PARK,
    park_retry_s=1800,
)
PROFILES: Mapping[str, Profile] = MappingProxyType({"core": CORE, "io": IO, "subtree": SUBTREE, "bulkhead": BULKHEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One child. `args` are values only and are the same for every epoch; `worker` names the shared thread that hosts
    the child (None: a thread of its own). `final_s` is its deadline at the end of the process, `stop_s` otherwise.
    """

    id: str
    actor: type[Supervised]
    args: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    restart: Restart = Restart.PERMANENT
    required: bool = True
    profile: Profile = CORE
    start_timeout_s: float = 15.0
    stop_s: float = 5.0
    final_s: float = 0.5
    drain: bool = False
    fresh_within_s: float | None = None
    mailbox: MailboxSpec = field(default_factory=MailboxSpec)
    worker: str | None = None

    @property
    def supervises(self) -> bool:
        """Whether this child is a supervisor, of a subtree that is known or of one that it builds when it starts."""
        return "spec" in self.args

    @property
    def subtree(self) -> "SupervisorSpec | None":
        """The spec of the supervisor that this child is, if it is one and its spec is known before it starts."""
        spec = self.args.get("spec")
        return spec if isinstance(spec, SupervisorSpec) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorSpec:
    """A `one_for_one` supervisor. `ordered`: children start one after the other, each when the one before has had its
    first try, and stop in reverse, one at a time; else all together. With a `template` children are dynamic: they are
    wanted by id, `template.args` gets the id as `child_id`, and at most `max_children` exist; `on_demand`: the first
    letter to a child's path starts it, else somebody's `ChildrenWanted` does. `quorum`: while this share
    of the required children is not unhealthy, the unhealthy ones count as degraded.
    """

    children: tuple[ChildSpec, ...] = ()
    template: ChildSpec | None = None
    on_demand: bool = False
    max_children: int = 1_000
    starts_per_s: float = 50.0
    ordered: bool = False
    quorum: float = 1.0

    @property
    def strategy(self) -> str:
        return "dynamic" if self.template is not None else "one_for_one"


def nominal_delay_s(profile: Profile, k: int) -> float:
    """The wait before the restart after the k-th failure in a row, without jitter."""
    if k <= 1:
        return 0.0
    return Backoff(base_s=profile.base_s, factor=profile.factor, cap_s=profile.cap_s).nominal_s(k - 1)


def stop_time_s(spec: SupervisorSpec, *, final: bool = True) -> float:
    """The longest chain of `final_s` (or `stop_s`) in a tree: a sum where children stop in order, else the maximum."""
    children = spec.children if spec.template is None else (spec.template,)
    times = [patience_s(child, final=final) for child in children]
    return math.fsum(times) if spec.ordered else max(times, default=0.0)


def patience_s(child: ChildSpec, *, final: bool) -> float:
    """How long a child may take to stop, a subtree as long as its own children need."""
    own_s = child.final_s if final else child.stop_s
    return max(own_s, stop_time_s(child.subtree, final=final)) if child.subtree else own_s


def time_to_give_up_s(profile: Profile) -> float:
    """Nominal seconds from the first failure to exhaustion of a child that always fails at once."""
    return sum(nominal_delay_s(profile, k) for k in range(1, profile.max_restarts + 1))


def walk(spec: SupervisorSpec, path: str = "") -> Iterator[tuple[str, ChildSpec]]:
    """Every child of a tree with its path, parents first; a template stands under `*`."""
    for child in spec.children:
        yield f"{path}/{child.id}", child
        if child.subtree is not None:
            yield from walk(child.subtree, f"{path}/{child.id}")
    if spec.template is not None:
        yield f"{path}/*", spec.template


def problems(spec: SupervisorSpec) -> tuple[str, ...]:
    """Everything that is wrong with a tree; a tree with problems is not started (exit code 78)."""
    found = list(_problems_of_children(spec))
    if (seconds := stop_time_s(spec)) > STOP_BUDGET_S:
        found.append(f"/: final_s add up to {seconds:g} s on the longest chain, the stop budget is {STOP_BUDGET_S:g} s")
    return tuple(found)


def _problems_of_children(spec: SupervisorSpec) -> Iterator[str]:
    seen: set[str] = set()
    for path, child in walk(spec):
        if path in seen:
            yield f"{path}: id used twice"
        seen.add(path)
        if len(path) > PATH_MAX_CHARS:
            yield f"{path[:40]}...: path longer than {PATH_MAX_CHARS} characters"
        if not path.endswith("/*") and not CHILD_ID.fullmatch(child.id):
            yield f"{path}: id must match {CHILD_ID.pattern}"
        if child.mailbox.data_max < 1 or child.mailbox.urgent_max < 1:
            yield f"{path}: a mailbox must hold at least one letter in each lane"
        profile = child.profile
        if not child.required and profile.on_exhausted is not Exhausted.PARK:
            yield f"{path}: an optional child must park when exhausted, not escalate"
        # A limit that back-off stretches out of its own window would never trip.
        slowest = time_to_give_up_s(profile) + profile.max_restarts * child.start_timeout_s
        if slowest > profile.window_s:
            yield (
                f"{path}: {profile.max_restarts} failures can take {slowest:g} s, the window is {profile.window_s:g} s:"
                " the limit could never trip"
            )
