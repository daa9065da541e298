"""Our tree for a replay: recorded venues stand where the connections stand, nothing reaches out of the process, and every
actor is on one worker without a thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from actors import paths
from actors.recording.replayed_venue import ReplayedVenue
from config.settings import Settings
from supervisors.spec import CORE, ChildSpec, SupervisorSpec
from supervisors.tree import our_tree
from supervisors.trees.pieces import enabled_venues
from supervisors.trees.presentation import Presentation

TURNS = "turns"  # the name of the one worker
FINAL_S = 1.0  # nobody waits for it: what ends here ends while time stands still
LIVE_ONLY = frozenset(
    (
        "/recording",
        "/edge",
        "/notify/telegram",
        "/features/market-caps",
        "/features/outcomes",
        "/features/margin-tiers",
        "/core/checkpoints",
        "/core/polls",
    )
)


def replay_tree(settings: Settings, presentation: Presentation, silent: frozenset[str]) -> SupervisorSpec:
    """Whatever `our_tree` has that does not speak with the world, its features too. `silent`: venues of which no
    connection was recorded.
    """
    feeds = SupervisorSpec(children=tuple(_venue(name, settings) for name in enabled_venues(settings)))
    return _staged(our_tree(settings, presentation), "", feeds, silent)


def _venue(name: str, settings: Settings) -> ChildSpec:
    args = {"venue": name, "assets": frozenset(settings.assets)}
    return ChildSpec(id=name, actor=ReplayedVenue, args=args, profile=CORE, worker=TURNS)


def _staged(spec: SupervisorSpec, at: str, feeds: SupervisorSpec, silent: frozenset[str]) -> SupervisorSpec:
    children = []
    for child in spec.children:
        path = f"{at}/{child.id}"
        if path in LIVE_ONLY:
            continue
        below = feeds if path == paths.FEEDS else child.args.get("spec")
        args = child.args
        if isinstance(below, SupervisorSpec):
            args = {**args, "spec": _staged(below, path, feeds, silent)}
        elif below is not None:  # a feature, built when it starts
            args = {
                **args,
                "spec": partial(_staged_later, below, path, feeds, silent),
                "allowance": None,
            }  # no clock decides
        if path == paths.VENUES:
            args = _without(args, silent)
        children.append(replace(child, args=args, worker=TURNS, final_s=FINAL_S))
    template = None if spec.template is None else replace(spec.template, worker=TURNS, final_s=FINAL_S)
    return replace(spec, children=tuple(children), template=template)


def _staged_later(
    build: Callable[[], SupervisorSpec], at: str, feeds: SupervisorSpec, silent: frozenset[str]
) -> SupervisorSpec:
    return _staged(build(), at, feeds, silent)


def _without(args: Mapping[str, Any], silent: frozenset[str]) -> Mapping[str, Any]:
    """The venue monitor's arguments without the venues that nobody can miss, because no connection of theirs was recorded."""
    left = {name: tuple(venue for venue in args[name] if venue not in silent) for name in ("configured", "watched")}
    return {**args, **left, "once_settled": args["once_settled"] - silent}
