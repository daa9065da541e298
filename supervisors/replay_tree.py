"""Our tree for a replay: recorded venues stand where the connections stand, nothing reaches out of the process, and every
actor is on one worker without a thread.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actors import paths
from actors.recording.replayed_venue import ReplayedVenue
from config.settings import Settings
from supervisors.spec import CORE, ChildSpec, SupervisorSpec
from supervisors.tree import Presentation, enabled_venues, our_tree

TURNS = "turns"  # the name of the one worker
LIVE_ONLY = frozenset(
    (
        *("/recording", "/edge", "/notify/telegram"),
        *(f"/core/{name}" for name in ("checkpoints", "self-tests", "oi", "backfill", "catalogues", "universe")),
    )
)


def replay_tree(settings: Settings, presentation: Presentation, silent: frozenset[str]) -> SupervisorSpec:
    """Whatever `our_tree` has that does not speak with the world, its features too. `silent`: venues whose liquidations
    were not recorded.
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
        below = feeds if path == paths.FEEDS else child.subtree
        args = child.args if below is None else {**child.args, "spec": _staged(below, path, feeds, silent)}
        if path == paths.VENUES:
            args = _without(args, silent)
        children.append(replace(child, args=args, worker=TURNS))
    template = None if spec.template is None else replace(spec.template, worker=TURNS)
    return replace(spec, children=tuple(children), template=template)


def _without(args: Mapping[str, Any], silent: frozenset[str]) -> Mapping[str, Any]:
    """The venue monitor's arguments: a silent venue is watched as one that brings prices only."""
    configured = tuple(name for name in args["configured"] if name not in silent)
    moved = tuple(name for name in args["configured"] if name in silent)
    return {**args, "configured": configured, "watched": (*args["watched"], *moved)}
