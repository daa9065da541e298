"""/zones: where liquidations of an asset are predicted, asked of its zone watch."""

import asyncio
from typing import Any

from actors import paths
from actors.system import System
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.market import Market
from actors.telegram.market_commands import USUAL_ASSET, asset_meant
from actors.telegram.pictured import chart_button
from actors.telegram.zones_asked import zones_of
from intelligence.answers.zones import zones_text

OFF = "Predicted zones are switched off: ENABLE_PREDICTIVE_ZONES=true switches them on."


class ZoneCommands:
    def __init__(self, system: System, market: Market, chats: Chats, log: Any) -> None:
        self._system, self._market, self._chats, self._log = system, market, chats, log

    def commands(self) -> tuple[Command, ...]:
        return (Command("zones", self._zones, hint="where liquidations are predicted", usage=USUAL_ASSET),)

    async def _zones(self, asked: Asked) -> Answer:
        if self._system.find(paths.ZONES) is None:
            raise Refusal(OFF)
        asset = asset_meant(self._market.assets(), "zones", asked.words or (USUAL_ASSET,))
        view = await asyncio.to_thread(zones_of, self._system, asset, self._log)
        if view is None:
            raise Refusal(f"Nothing is predicted of {asset} yet. Try again in a few minutes.")
        return Answer(
            text=zones_text(view, await self._chats.clock(asked)),
            buttons=((Button("↻ Refresh", f"zones {asset}"), *chart_button("zones", asset, None)),),
        )
