"""What an asset's zone watch knows, for commands and pictures. Blocks: not for the event loop."""

from typing import Any

from actors import paths
from actors.messages.features import ZonesTold, ZonesWanted
from actors.system import System
from actors.telegram.market import ASK_S
from intelligence.zones.view import ZonesView


def zones_of(system: System, asset: str, log: Any) -> ZonesView | None:
    """None where nobody predicts it, or does not answer in time."""
    path = paths.zones_path(asset)
    if system.find(path) is None:  # a letter would start a watch
        return None
    try:
        told = system.address(path).ask(ZonesWanted(asset=asset), timeout=ASK_S)
    except Exception as error:  # down, late, or failed over this very letter
        log.warning("command_unanswered", message="zones", caused_by=repr(error)[:200])
        return None
    return told.view if isinstance(told, ZonesTold) else None
