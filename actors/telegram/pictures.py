"""Pictures for the bot's event loop: what the stream knows now, drawn elsewhere, kept for a moment."""

import asyncio
import time
from typing import Any

from actors import paths
from actors.messages.pictures import ChartDrawn, ChartNotDrawn, ChartWanted, TapeWanted
from actors.system import System
from actors.telegram.answer import Picture
from actors.telegram.market import ASK_S
from actors.telegram.pictured import KINDS
from actors.telegram.zones_asked import zones_of
from charts.assembly import chart_of
from charts.cache import PictureCache
from charts.requests import ChartKind, ChartRequest, Theme
from charts.zone_assembly import zones_chart
from config.settings import Charts as ChartSettings
from intelligence.tape import MarketTape, PackedTape

SPARE_S = 0.1  # for the answer's way back


class NoPicture(Exception):  # noqa: N818 - an answer, not an error
    """There is none now; the text, for people, says why."""


class Pictures:
    """Used on the event loop; whoever is asked is waited for on another thread."""

    def __init__(self, system: System, settings: ChartSettings, heading: str, log: Any) -> None:
        self._system, self._settings, self._heading, self._log = system, settings, heading, log
        self._cache: PictureCache = PictureCache(size=settings.cache_pictures, keep_s=settings.cache_s)

    async def of(self, picture: Picture) -> bytes:
        """A PNG. Raises NoPicture."""
        png = self._cache.get(picture, time.monotonic())
        if png is None:
            png = await asyncio.to_thread(self._draw, picture)
            self._cache.put(picture, png, time.monotonic())
        return png

    def _draw(self, picture: Picture) -> bytes:
        request = self._request(picture, KINDS[picture.command], Theme(self._settings.theme))
        until_s = self._system.clock.monotonic() + self._settings.wait_s
        wanted = ChartWanted(request=request, until_s=until_s)
        answer = self._ask(paths.CHARTS, wanted, self._settings.wait_s + SPARE_S)
        match answer:
            case ChartDrawn(png=png):
                return png
            case ChartNotDrawn(reason=reason):
                raise NoPicture(reason)
            case _:
                raise NoPicture("what draws pictures is not there")

    def _request(self, picture: Picture, kind: ChartKind, theme: Theme) -> ChartRequest:
        tape = self._tape(picture)
        if kind is not ChartKind.ZONES:
            return chart_of(kind, tape, theme=theme, zone=picture.zone, heading=self._heading)
        view = zones_of(self._system, picture.asset, self._log)
        if view is None:
            raise NoPicture(f"nothing is predicted of {picture.asset} now")
        return zones_chart(view, tape, theme=theme, zone=picture.zone, heading=self._heading)

    def _tape(self, picture: Picture) -> MarketTape:
        path = paths.symbol_path(picture.asset)
        known = self._system.find(path) is not None  # a letter would start a stream
        tape = self._ask(path, TapeWanted(period_s=picture.span_s), ASK_S) if known else None
        if not isinstance(tape, PackedTape):
            raise NoPicture(f"nothing can be said of {picture.asset} now")
        return tape.unpacked()

    def _ask(self, path: str, message: Any, timeout_s: float) -> Any:
        try:
            return self._system.address(path).ask(message, timeout=timeout_s)
        except Exception as error:  # down, late, or failed over this very letter
            self._log.warning("picture_unanswered", message=type(message).__name__, caused_by=repr(error)[:200])
            return None
