"""/chart: a picture of an asset, with buttons for kind and period that change it in place."""

from collections.abc import Sequence

from actors.telegram import parsing
from actors.telegram.answer import Answer, Asked, Button, Command, Picture
from actors.telegram.chats import Chats
from actors.telegram.market import Market
from actors.telegram.market_commands import asset_meant, period_in
from actors.telegram.pictured import KINDS, LONGEST_S, SHORTEST_S, drawn_s, period_word
from intelligence.answers.layout import bold, page, span, updated

USUAL_KIND = "price"
LABELS = {"price": "Price", "cvd": "CVD", "oi": "OI", "profile": "Profile", "liquidations": "Liq."}
NAMES = {
    **{kind: kind for kind in LABELS},
    "cvd": "CVD",
    "oi": "open interest",
    "profile": "volume profile",
    "zones": "predicted zones",
}
PERIODS = ("15m", "1h", "4h", "1d")
USUAL_S = {
    "price": 14_400,
    "cvd": 14_400,
    "oi": LONGEST_S,
    "profile": SHORTEST_S,
    "liquidations": LONGEST_S,
    "zones": 14_400,
}


class ChartCommands:
    def __init__(self, market: Market, chats: Chats) -> None:
        self._market, self._chats = market, chats

    def commands(self) -> tuple[Command, ...]:
        return (Command("chart", self._answer, hint=f"a picture: {', '.join(KINDS)}", usage="oi BTC 4h"),)

    async def _answer(self, asked: Asked) -> Answer:
        kind, rest = _kind(asked.words)
        words, span_s = period_in(rest)
        asset = asset_meant(self._market.assets(), f"chart {kind}", words)
        shown_s = drawn_s(span_s or USUAL_S[kind])
        clock = await self._chats.clock(asked)
        return Answer(
            text=page(bold(f"{asset} {NAMES[kind]}, {span(shown_s)}"), updated(self._market.now_ms(), clock)),
            buttons=_buttons(kind, asset, shown_s),
            picture=Picture(command=kind, asset=asset, span_s=shown_s, zone=clock),
        )


def _kind(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The kind of picture, and the other words."""
    meant = next((word for word in words if word.lower() in KINDS), "")
    return meant.lower() or USUAL_KIND, [word for word in words if word != meant]


def _buttons(kind: str, asset: str, span_s: int) -> tuple[tuple[Button, ...], ...]:
    """Kinds, periods, and refresh."""
    now = period_word(span_s)
    kinds = tuple(
        Button(f"· {label} ·" if name == kind else label, f"chart {name} {asset} {now}")
        for name, label in LABELS.items()
    )
    periods = tuple(
        Button(f"· {word} ·" if parsing.span_s(word) == span_s else word, f"chart {kind} {asset} {word}")
        for word in PERIODS
    )
    rows = (kinds, periods, (Button("↻ Refresh", f"chart {kind} {asset} {now}"),))
    return tuple(fitting for row in rows if (fitting := tuple(one for one in row if one.fits)))
