"""/start /help /alerts: whether this chat gets alerts, of which families, and how loudly."""

from collections.abc import Callable, Sequence

from actors.messages.chats import AlertsState
from actors.telegram import parsing, preference_words
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Command, Refusal
from actors.telegram.chats import Chats
from intelligence.answers.layout import escape, page
from intelligence.preferences import SetKinds, SetLoudness

USAGE_OF_ALERTS = (
    "Use /alerts start, /alerts stop or /alerts status; /alerts FAMILY loud, silent or off, with liquidation, cascade, oi, "
    "volume, zone, market or health, or a severity: P1, P2, P3. In a topic of a group /alerts here brings alerts there, "
    "/alerts here oi volume these alone."
)
NO_TOPIC = (
    "This is no topic of a group: alerts come here as they are. In a topic /alerts here brings alerts there, with settings "
    "of its own."
)


class ChatCommands:
    """`helping` gives the text of /help for a right: it lists the commands of others too. `now_ms`: market time.
    `usual_digest`: the minute of the day at which chats that have not chosen get their digest.
    """

    def __init__(
        self, chats: Chats, now_ms: Callable[[], int], helping: Callable[[Right], str], usual_digest: int | None
    ) -> None:
        self._chats, self._now_ms, self._helping, self._usual_digest = chats, now_ms, helping, usual_digest

    def commands(self) -> tuple[Command, ...]:
        return (
            Command(
                "alerts",
                self._alerts,
                hint="what alerts this chat gets, and how loudly",
                usage="start|stop|status|here",
            ),
            Command("help", self._help, hint="what this bot can do"),
            Command("start", self._start),
        )

    async def _help(self, asked: Asked) -> Answer:
        return Answer(text=self._helping(asked.right))

    async def _start(self, asked: Asked) -> Answer:
        state = await self._chats.state(asked)
        return Answer(text=f"{self._helping(asked.right)}\n\n{self._text(state, asked)}")

    async def _alerts(self, asked: Asked) -> Answer:
        match [word.lower() for word in asked.words]:
            case [] | ["status"]:
                state = await self._chats.state(asked)
            case ["start" | "stop" as wish]:
                state = await self._chats.switch(asked, on=wish == "start")
            case ["here", *families]:
                state = await self._here(asked, families)
            case [of, how]:
                state = await self._chats.change(asked, _loudness(of, how))
            case _:
                raise Refusal(USAGE_OF_ALERTS)
        return Answer(text=self._text(state, asked), buttons=preference_words.menu(state.preferences, on=state.on))

    async def _here(self, asked: Asked, families: Sequence[str]) -> AlertsState:
        """Let this topic have alerts of its own; in a chat as a whole choose its families."""
        kinds = tuple(kind for word in families if (kind := parsing.kind(word.strip(","))) is not None)
        if len(kinds) < len(families):
            raise Refusal(USAGE_OF_ALERTS)
        if asked.topic:
            return await self._chats.take_topic(asked, kinds)
        if not kinds:
            raise Refusal(NO_TOPIC)
        return await self._chats.change(asked, SetKinds(kinds=kinds))

    def _text(self, state: AlertsState, asked: Asked) -> str:
        chosen, now_ms = state.preferences, self._now_ms()
        since = "" if state.since_ms is None else f", set {preference_words.local(state.since_ms, chosen.zone, now_ms)}"
        how = "/alerts stop ends them" if state.on else "/alerts start brings them back; detection goes on"
        waiting = f", {state.waiting} waiting" if state.waiting else ""
        return page(
            f"Alerts {_place(state, asked)} are <b>{'on' if state.on else 'off'}</b>{since}.",
            f"{state.sent_24h} sent in the last 24 h{waiting}. {how}.",
            _elsewhere(state, asked),
            escape("\n".join(preference_words.described(chosen, now_ms, self._usual_digest))),
        )


def _place(state: AlertsState, asked: Asked) -> str:
    if state.topic:
        return "in this topic"
    return "of this group as a whole" if asked.topic or state.topics else "in this chat"


def _elsewhere(state: AlertsState, asked: Asked) -> str:
    """Where else in a group there are alerts, or may be."""
    if asked.topic and not state.topic:
        return "/alerts here brings them to this topic, with settings of its own."
    others = state.topics - bool(state.topic)
    several = f"{others} topics have alerts of their own" if others > 1 else "1 topic has alerts of its own"
    return f"Beside this, {several}." if others else ""


def _loudness(of: str, how: str) -> SetLoudness:
    what, loudness = parsing.severity(of) or parsing.kind(of), parsing.loudness(how)
    if what is None or loudness is None:
        raise Refusal(USAGE_OF_ALERTS)
    return SetLoudness(of=what, loudness=loudness)
