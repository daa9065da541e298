"""/watch /unwatch /threshold: of which assets, and from which size on, this chat is told."""

from collections.abc import Sequence

from actors.telegram import parsing, preference_words
from actors.telegram.answer import Answer, Asked, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.market import Market
from intelligence.alerts import AlertKind
from intelligence.answers.layout import escape
from intelligence.gates import OwnThreshold, Preferences
from intelligence.preferences import SetThreshold, Unwatch, Watch

ALL = "all"
NO_SIZE = {AlertKind.FEED_HEALTH, AlertKind.ZONE_APPROACH}
USAGE_OF_THRESHOLD = "For example /threshold SOL liquidation 50k, /threshold BTC oi 10%, /threshold all cascade off."


class WatchCommands:
    def __init__(self, chats: Chats, market: Market) -> None:
        self._chats, self._market = chats, market

    def commands(self) -> tuple[Command, ...]:
        return (
            Command("watch", self._watch, hint="alerts of these assets only", usage="BTC ETH|all"),
            Command("unwatch", self._unwatch, hint="no alerts of these assets any more", usage="BTC"),
            Command("threshold", self._threshold, hint="told from that size on only", usage="SOL liquidation 50k"),
        )

    async def _watch(self, asked: Asked) -> Answer:
        if not asked.words:
            return Answer(text=_watched((await self._chats.state(asked)).preferences))
        everything = [word.lower() for word in asked.words] == [ALL]
        change = Watch() if everything else Watch(assets=self._assets(asked.words))
        return Answer(text=_watched((await self._chats.change(asked, change)).preferences))

    async def _unwatch(self, asked: Asked) -> Answer:
        if not asked.words:
            raise Refusal("Which asset? For example /unwatch BTC")
        change = Unwatch(assets=self._assets(asked.words))
        return Answer(text=_watched((await self._chats.change(asked, change)).preferences))

    async def _threshold(self, asked: Asked) -> Answer:
        if not asked.words:
            return Answer(text=_thresholds((await self._chats.state(asked)).preferences.own_thresholds))
        whose, kind, size = _in_any_order(asked.words)
        asset = None if whose.lower() == ALL else self._assets((whose,))[0]
        change = SetThreshold(kind=kind, value=_size(kind, size), asset=asset)
        return Answer(text=_thresholds((await self._chats.change(asked, change)).preferences.own_thresholds))

    def _assets(self, words: Sequence[str]) -> tuple[str, ...]:
        """Raises Refusal for one that is not watched by the daemon."""
        known = self._market.assets()
        words = [part for word in words for part in word.split(",") if part]
        found = [parsing.asset_of(word, known) for word in words]
        for word, asset in zip(words, found, strict=True):
            if asset is None:
                like = parsing.suggestions(word, known)
                meant = f" Is it {', '.join(like)}?" if like else ""
                raise Refusal(f"{word[:24]} is not watched.{meant}")
        return tuple(asset for asset in found if asset is not None)


def _in_any_order(words: Sequence[str]) -> tuple[str, AlertKind, str]:
    """Asset, family and size. Raises Refusal."""
    families = [word for word in words if parsing.kind(word) is not None]
    sizes = [word for word in words if parsing.amount(word) is not None or word.lower() == "off"]
    assets = [word for word in words if word not in (*families, *sizes)]
    if len(words) != 3 or not len(families) == len(sizes) == len(assets) == 1:
        raise Refusal(USAGE_OF_THRESHOLD)
    kind = parsing.kind(families[0])
    if kind is None or kind in NO_SIZE:
        raise Refusal(USAGE_OF_THRESHOLD)
    return assets[0], kind, sizes[0]


def _size(kind: AlertKind, word: str) -> float | None:
    """In the unit of the kind's alerts, None for off. Raises Refusal."""
    if word.lower() == "off":
        return None
    size = parsing.amount(word)
    in_percent = kind is AlertKind.OPEN_INTEREST
    if size is None or size.figure <= 0 or (size.percent and not in_percent):
        raise Refusal(USAGE_OF_THRESHOLD)
    return size.figure


def _watched(chosen: Preferences) -> str:
    only = f"Alerts of {', '.join(chosen.assets)} only" if chosen.assets else "Alerts of all assets"
    return escape(f"{only}, beside those of the whole market and of lost venues.")


def _thresholds(own: Sequence[OwnThreshold]) -> str:
    if not own:
        return escape(f"This chat has no thresholds of its own. {USAGE_OF_THRESHOLD}")
    lines = [preference_words.threshold(one) for one in own]
    return escape("\n".join(["Own thresholds, where they are above ours:", *lines]))
