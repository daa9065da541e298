"""/price /volume /cvd /oi /profile /liquidations /funding: what is known of an asset, with buttons for period and refresh."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from actors.telegram import parsing
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.market import Known, Market, Silent
from actors.telegram.pictured import chart_button, period_word
from intelligence.answers.funding import funding_text
from intelligence.answers.liquidations import (
    USUAL_OF_MARKET_S,
    liquidations_text,
    market_liquidations_text,
    most_liquidated,
    nearest_span_s,
)
from intelligence.answers.open_interest import open_interest_text
from intelligence.answers.price import price_text
from intelligence.answers.profile import profile_text
from intelligence.answers.volume import cvd_text, volume_text

USUAL_ASSET = "BTC"
MOST_ASSETS = 4  # that have a button of their own
PERIODS = ("5m", "15m", "1h", "4h", "1d")


class _Page(NamedTuple):
    """`text`: of what is known, the period asked for and the clock of the reader. `periods`: those that have a button."""

    hint: str
    text: Callable[[Known, int | None, str], str]
    periods: tuple[str, ...] = PERIODS
    with_history: bool = True


PAGES = {
    "price": _Page(
        "price on every venue", lambda known, s, clock: price_text(*known, s, clock), ("1h", "4h", "1d", "7d")
    ),
    "volume": _Page("what takers traded", lambda known, s, clock: volume_text(*known, s, clock)),
    "cvd": _Page("what takers bought less what they sold", lambda known, s, clock: cvd_text(*known, s, clock)),
    "oi": _Page("open interest by venue", lambda known, s, clock: open_interest_text(*known, s, clock)),
    "profile": _Page(
        "volume by price",
        lambda known, s, clock: profile_text(*known, s, clock),
        ("15m", "1h", "4h", "1d"),
    ),
    "liquidations": _Page(
        "who was liquidated; without an asset, where most",
        lambda known, s, clock: liquidations_text(known.view, s, clock),
        with_history=False,
    ),
    "funding": _Page(
        "what longs pay shorts", lambda known, _, clock: funding_text(known.view, clock), (), with_history=False
    ),
}


class MarketCommands:
    def __init__(self, market: Market, chats: Chats, log: Any) -> None:
        self._market, self._chats, self._log = market, chats, log

    def commands(self) -> tuple[Command, ...]:
        return tuple(
            Command(name, self._answer, hint=page.hint, usage="BTC" + (" 1h" if page.periods else ""))
            for name, page in PAGES.items()
        )

    async def _answer(self, asked: Asked) -> Answer:
        page = PAGES[asked.command]
        words, span_s = period_in(asked.words)
        clock = await self._chats.clock(asked)
        try:
            if not words and asked.command == "liquidations":
                return await self._whole_market(span_s, clock)
            asset = asset_meant(self._market.assets(), asked.command, words)
            known = await self._market.of(asset, with_history=page.with_history)
        except Silent as silent:
            self._log.warning("command_unanswered", message=asked.command, caused_by=silent.caused_by[:200])
            raise Refusal(f"Nothing can be said of {silent.asset} now. Try again in a few seconds.") from silent
        return Answer(
            text=page.text(known, span_s, clock),
            buttons=_buttons(asked.command, asset, page.periods, span_s),
        )

    async def _whole_market(self, span_s: int | None, clock: str) -> Answer:
        sums = await self._market.liquidations()
        text = market_liquidations_text(sums, self._market.now_ms(), span_s, clock)
        shown_s = nearest_span_s(span_s or USUAL_OF_MARKET_S)
        word = period_word(shown_s)
        assets = tuple(Button(one, f"liquidations {one} {word}") for one in most_liquidated(sums, span_s)[:MOST_ASSETS])
        rows = _buttons("liquidations", "", PERIODS, shown_s)
        return Answer(text=text, buttons=(*((assets,) if assets else ()), *rows))


def asset_meant(known: frozenset[str], command: str, words: Sequence[str], rest: str = "") -> str:
    """The asset that is meant. Raises Refusal, with those that may be meant on buttons that give `command`, and `rest` behind."""
    if not words:
        raise Refusal(
            f"Which asset? For example /{command} {USUAL_ASSET}",
            (tuple(Button(asset, f"{command} {asset}") for asset in (USUAL_ASSET, "ETH", "SOL")),),
        )
    asset = parsing.asset_of(words[0], known)
    if asset is not None:
        return asset
    like = parsing.suggestions(words[0], known)
    buttons = tuple(one for name in like if (one := Button(name, f"{command} {name} {rest}".rstrip())).fits)
    meant = f" Is it {', '.join(like)}?" if like else ""
    raise Refusal(f"{words[0][:24]} is not watched.{meant}", (buttons,) if buttons else ())


def period_in(words: Sequence[str]) -> tuple[list[str], int | None]:
    """The asset's word, if there is one, and the period, in any order. Where all may be periods, like 1m, the first of
    several is the asset.
    """
    names = [word for word in words if parsing.span_s(word) is None] or list(words[: len(words) > 1])
    rest = list(words)
    for name in names:
        rest.remove(name)
    return names[:1], parsing.span_s(rest[0]) if rest else None


def _buttons(command: str, asset: str, periods: Sequence[str], span_s: int | None) -> tuple[tuple[Button, ...], ...]:
    """Periods above, refresh below; the refresh keeps the period."""
    start = f"{command} {asset}".rstrip()
    shown = f" {period_word(span_s)}" if span_s else ""
    rows = (
        tuple(Button(f"· {word} ·" if parsing.span_s(word) == span_s else word, f"{start} {word}") for word in periods),
        (Button("↻ Refresh", f"{start}{shown}"), *chart_button(command, asset, span_s)),
    )
    return tuple(fitting for row in rows if (fitting := tuple(one for one in row if one.fits)))
