"""/mute /unmute /quiet /budget /digest /timezone: when this chat is left alone."""

from collections.abc import Callable, Sequence

from actors.notifiers.buttons import ANY
from actors.telegram import parsing, preference_words
from actors.telegram.answer import Answer, Asked, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.market import Market
from intelligence.alerts import AlertKind
from intelligence.answers.layout import escape
from intelligence.gates import Mute, Preferences
from intelligence.preferences import SetBudget, SetDigest, SetMute, SetQuietHours, SetZone, TakeMutesBack

USUAL_S = 3_600
MOST_PUSHES = 10_000
USAGE_OF_MUTE = "For example /mute SOL oi 4h, /mute BTC 1h, /mute cascade 30m, /mute SOL (one hour)."
USAGE_OF_QUIET = "For example /quiet 23:00-07:00 Europe/Berlin, /quiet off."


class QuietCommands:
    """`now_ms`: market time. `usual_digest`: the minute of the day at which chats that have not chosen get their digest."""

    def __init__(self, chats: Chats, market: Market, now_ms: Callable[[], int], usual_digest: int | None) -> None:
        self._chats, self._market, self._now_ms, self._usual_digest = chats, market, now_ms, usual_digest

    def commands(self) -> tuple[Command, ...]:
        return (
            Command("mute", self._mute, hint="nothing of this for a while", usage="SOL oi 4h"),
            Command("unmute", self._unmute, hint="take mutes back", usage="SOL|all"),
            Command(
                "quiet", self._quiet, hint="hours without alerts; P1 passes", usage="23:00-07:00 Europe/Berlin|off"
            ),
            Command("budget", self._budget, hint="alerts a day at most; P1 passes", usage="20|off"),
            Command("digest", self._digest, hint="one summary a day", usage="08:00|off"),
            Command("timezone", self._zone, hint="the clock of this chat", usage="Europe/Berlin"),
        )

    async def _mute(self, asked: Asked) -> Answer:
        if not asked.words:
            return self._mutes((await self._chats.state(asked)).preferences)
        asset, kind, span_s = self._what(asked.words, pressed=asked.pressed)
        now_ms = self._now_ms()
        mute = Mute(asset=asset, kind=kind, until_ms=now_ms + 1_000 * (span_s or USUAL_S))
        chosen = (await self._chats.change(asked, SetMute(mute=mute))).preferences
        words = f"Muted: {preference_words.mute(mute, now_ms, chosen.zone)}. /unmute takes it back."
        return Answer(notice=words) if asked.pressed else Answer(text=escape(words))

    async def _unmute(self, asked: Asked) -> Answer:
        if not asked.words:
            raise Refusal("What? For example /unmute SOL, /unmute all.")
        everything = [word.lower() for word in asked.words] == ["all"]
        asset, kind, _ = (None, None, None) if everything else self._what(asked.words)
        return self._mutes((await self._chats.change(asked, TakeMutesBack(asset=asset, kind=kind))).preferences)

    async def _quiet(self, asked: Asked) -> Answer:
        chosen = (await self._chats.state(asked)).preferences
        if asked.words:
            off = [word.lower() for word in asked.words] == ["off"]
            quiet = None if off else parsing.quiet_hours(asked.words, chosen.zone)
            if quiet is None and not off:
                raise Refusal(USAGE_OF_QUIET)
            chosen = (await self._chats.change(asked, SetQuietHours(quiet=quiet))).preferences
        told = preference_words.quiet_hours(chosen.quiet) if chosen.quiet else f"none. {USAGE_OF_QUIET}"
        return Answer(text=escape(f"Quiet hours: {told}"))

    async def _budget(self, asked: Asked) -> Answer:
        chosen = (await self._chats.state(asked)).preferences
        if asked.words:
            pushes = _off_or(asked.words, _count, "For example /budget 20, /budget off.")
            chosen = (await self._chats.change(asked, SetBudget(pushes_a_day=pushes))).preferences
        if chosen.pushes_a_day is None:
            return Answer(text="Budget: none, every alert is sent. For example /budget 20.")
        return Answer(text=f"Budget: {chosen.pushes_a_day} alerts in 24 h, P1 passes; the rest is in the /digest.")

    async def _digest(self, asked: Asked) -> Answer:
        chosen = (await self._chats.state(asked)).preferences
        if asked.words:
            minute = _off_or(asked.words, parsing.minute_of_day, "For example /digest 08:00, /digest off.")
            chosen = (await self._chats.change(asked, SetDigest(minute=minute))).preferences
        told = preference_words.digest(chosen, self._usual_digest)
        how = "For example /digest 08:00." if told == "none" else "/timezone changes the clock, /digest off ends it."
        return Answer(text=escape(f"Digest: {told}. {how}"))

    async def _zone(self, asked: Asked) -> Answer:
        chosen = (await self._chats.state(asked)).preferences
        if asked.words:
            zone = parsing.zone(" ".join(asked.words))
            if zone is None:
                raise Refusal("I do not know that time zone. For example /timezone Europe/Berlin.")
            chosen = (await self._chats.change(asked, SetZone(zone=zone))).preferences
        return Answer(text=escape(f"The clock of this chat is {chosen.zone}."))

    def _what(self, words: Sequence[str], *, pressed: bool = False) -> tuple[str | None, AlertKind | None, int | None]:
        """Asset, family and period, in any order. Raises Refusal for a word that is none of them. `pressed`: the asset was
        named by us, and may not be watched any more.
        """
        known = self._market.assets()
        asset, kind, span_s = None, None, None
        for word in words:
            if word == ANY:
                continue
            if kind is None and (family := parsing.kind(word)) is not None:
                kind = family
            elif span_s is None and (span := parsing.span_s(word)) is not None:
                span_s = span
            elif asset is None and (found := parsing.asset_of(word, known)) is not None:
                asset = found
            elif asset is None and pressed:
                asset = word
            else:
                raise Refusal(
                    f"{word[:24]} is neither an asset that is watched, a family of alerts nor a period. {USAGE_OF_MUTE}"
                )
        return asset, kind, span_s

    def _mutes(self, chosen: Preferences) -> Answer:
        now_ms = self._now_ms()
        lines = [preference_words.mute(mute, now_ms, chosen.zone) for mute in chosen.mutes]
        return Answer(text=escape("\n".join(["Muted:", *lines]) if lines else f"Nothing is muted. {USAGE_OF_MUTE}"))


def _off_or(words: Sequence[str], read: Callable[[str], int | None], usage: str) -> int | None:
    """None for off. Raises Refusal."""
    if [word.lower() for word in words] == ["off"]:
        return None
    value = read(words[0])
    if value is None:
        raise Refusal(usage)
    return value


def _count(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and 0 <= int(word[:9]) <= MOST_PUSHES else None
