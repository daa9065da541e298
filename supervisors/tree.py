"""Our tree as data, put together from `trees/` and `features.py`. docs/architecture.md draws it."""

from config.settings import Settings
from supervisors.features import features
from supervisors.spec import SupervisorSpec
from supervisors.trees.core import core
from supervisors.trees.edge import edge
from supervisors.trees.notify import notify
from supervisors.trees.pieces import backoff_of, bulkhead, rest_limits, subtree
from supervisors.trees.presentation import Presentation
from supervisors.trees.recording import recording

WORKERS = ("symbols", "open-interest", "thresholds", "volume", "zones")


def our_tree(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    """Consumers before producers: started in this order, stopped in reverse, so that alerts go out last."""
    telegram = presentation.telegram and bool(settings.telegram.token)
    children = [
        subtree("notify", notify(settings, presentation, telegram=telegram)),
        *(
            (bulkhead("recording", recording(settings, presentation), final_s=0.2),)
            if settings.recording.enabled
            else ()
        ),
        subtree("core", core(settings, presentation)),
    ]
    fresh = presentation.market != "live"
    if optional := features(settings, limits=rest_limits(settings), backoff=backoff_of(settings), fresh=fresh):
        children.append(bulkhead("features", SupervisorSpec(children=optional)))
    children.append(bulkhead("edge", edge(settings, presentation, telegram=telegram)))
    return SupervisorSpec(children=tuple(children), ordered=True)
