"""Watches the traded volume of one asset, minute by minute, beside its symbol stream. Hosted on a worker of its own."""

from dataclasses import dataclass
from typing import Any

import msgspec

from actors import checkpoints, paths
from actors.mailbox import Lane
from actors.messages.alerts import AlertRaised, NearMissesSeen
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.supervised import Supervised
from intelligence.alerts import Alert
from intelligence.borrowed_minutes import Level, borrowed, hours_usd, level_of
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.detectors.volume_spike import VolumeSpikeDetector
from intelligence.history import History
from intelligence.minute import Minute
from intelligence.minute_series import MinuteSeries
from intelligence.quarter_hours import QuarterHoursState
from intelligence.thresholds.records import AssetThresholds

SCHEMA = 1
USUAL = "usual"  # the part of its checkpoint
HORIZON_S = 7 * 86_400.0  # of what is usual (detection.md 7)
KEEP_EVERY_MS = 300_000  # ours: a gap of five minutes in another process leaves every range with enough of its minutes
RESTORE_S = 10.0  # how long an answer about checkpoints is waited for
IDLE_S = 900.0  # market seconds without a minute: the asset's stream has ended
ASKS_MIN = (0, 1, 2, 5, 10, 30)  # minutes after the first one at which the past is asked for where the level is known
# else once bars of watched minutes can be there: they come by the quarter hour, in a demo sooner
LEVEL_ASKS_MIN = (4, 6, 8, 17, 32, 47, 62, 122, 242)


class Kept(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """For another process: what is usual, the last watched minutes, and how the reference's bars compare with them."""

    state: QuarterHoursState
    minutes: tuple[Minute, ...]
    level: Level | None


@dataclass(frozen=True, slots=True)
class _Begin:
    """Nobody has answered about checkpoints: begin without."""


@dataclass(frozen=True, slots=True)
class _Idle:
    """Look whether any minute has come lately."""


class VolumeWatch(Supervised):
    """Whatever goes wrong here costs no other alert. It retains the minutes it has judged, so a successor knows the open
    incident under its id; what is usual it finds in the checkpoints, and what nobody watched in the bars of the stream's
    reference contract. Minutes that come before the answer about checkpoints wait for it.
    """

    def init(self, *, child_id: str, rule: VolumeRule, venues: tuple[str, ...]) -> None:
        """`venues`: those whose trades are asked for."""
        self.asset = paths.asset_of(child_id)
        self.log = self.log.bind(asset=self.asset)
        self._rule, self._venues = rule, venues
        self._thresholds: AssetThresholds | None = None
        self._detector = VolumeSpikeDetector(self.asset, rule)
        self._watched = MinuteSeries()
        self._level: Level | None = None
        self._is_filled = False
        self._count = 0
        self._heard_ms = self.now_ms
        self.timer.every("idle", IDLE_S, _Idle(), market=True)
        self._waiting: list[Minute] | None = None  # None: begun
        if checkpoints.ask_for(self, USUAL):
            self._waiting = []
            self.timer.once("begin", RESTORE_S, _Begin())

    def recover(self, retained: tuple[Any, ...]) -> None:
        for message in retained:
            if isinstance(message, ThresholdsSet):
                self._judge_by(message.thresholds)
            else:
                self._relive(message.minute)

    def handle(self, message: Any) -> None:
        match message:
            case MinuteClosed(minute=minute):
                self._heard_ms = self.now_ms
                if self._waiting is None:
                    self._take(minute)
                else:
                    self._waiting.append(minute)
            case ThresholdsSet(thresholds=thresholds):
                self._judge_by(thresholds)
            case HistoryTold(history=history):
                self._learn(history)
            case CheckpointRestored():
                self._restore(checkpoints.read(self, message, Kept, schema=SCHEMA))
                self._begin()
            case _Begin():
                self._begin()
            case _Idle():
                if self.now_ms - self._heard_ms >= IDLE_S * 1000 and not self._detector.is_open:
                    self.finish()
            case _:
                super().handle(message)

    # -- beginning ----------------------------------------------------------------------------------------------------

    def _restore(self, kept: Kept | None) -> None:
        """Go on from what was kept, then again through the minutes that were judged here."""
        if kept is None:
            return
        watched = self._watched.all()
        self._detector = VolumeSpikeDetector(self.asset, self._rule, kept.state)
        self._watched, self._level = MinuteSeries(), kept.level
        if self._thresholds is not None:
            self._judge_by(self._thresholds)
        for minute in (*kept.minutes, *watched):
            self._relive(minute)

    def _begin(self) -> None:
        """Take the minutes that have waited."""
        waiting, self._waiting = self._waiting or (), None
        for minute in waiting:
            self._take(minute)

    def _relive(self, minute: Minute) -> None:
        """Take a minute that was judged before: whatever it told is told."""
        if self._watched.add(minute):
            self._judge(minute)

    # -- working ------------------------------------------------------------------------------------------------------

    def _take(self, minute: Minute) -> None:
        if not self._watched.add(minute):
            return
        alert = self._judge(minute)
        if alert is not None:
            self.send(paths.DISPATCHER, AlertRaised(alert=alert), redeliver=True)
        elif (found := self._detector.near_miss(minute)) is not None:
            self.send(paths.NEAR_MISSES, NearMissesSeen(found=(found,)), lane=Lane.DATA)
        if alert is not None or minute.to_ms % KEEP_EVERY_MS == 0:
            self._keep()
        self._ask()
        self._count += 1
        self._write_note(minute.to_ms)
        self.retained.append(MinuteClosed(minute=minute))
        self.progress()

    def _judge(self, minute: Minute) -> Alert | None:
        """Thresholds that nobody has renewed give way to the multiple of what is usual."""
        held = self._thresholds
        if held is not None and not held.valid_at(minute.to_ms):
            self._thresholds, self._detector.threshold = None, None
            if held.volume_spike is not None:
                why = (("expired", str(held.volume_spike.source)), ("expired_ms", held.valid_until_ms or 0))
                self._detector.expired = why
        return self._detector.take(minute, self.now_ms, self._venues)

    def _judge_by(self, thresholds: AssetThresholds) -> None:
        self._thresholds = thresholds
        self._detector.threshold, self._detector.expired = thresholds.volume_spike, ()

    def _keep(self) -> None:
        """Without open interest, of which nothing is judged here. Never at a stop: the reference's bars fill that gap."""
        minutes = (msgspec.structs.replace(minute, open_interest=()) for minute in self._watched.all())
        kept = Kept(state=self._detector.state, minutes=tuple(minutes), level=self._level)
        packed = msgspec.Raw(msgspec.msgpack.encode(kept))
        checkpoints.keep(self, USUAL, packed, schema=SCHEMA, horizon_s=HORIZON_S)

    # -- what nobody watched ------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        asks = LEVEL_ASKS_MIN if self._level is None else ASKS_MIN
        stream = paths.symbol_path(self.asset)
        if not self._is_filled and self._count in asks and self.system.find(stream) is not None:
            self.send(stream, HistoryWanted(path=self.path), lane=Lane.DATA)

    def _learn(self, history: History) -> None:
        """Let the reference's bars, raised to the level of all venues, say what was before the first minute and in gaps."""
        if self._level is not None and self._level.contract != history.reference:
            self._level = None
        found = level_of(history, self._watched.all())
        if found is not None and (self._level is None or found.minutes > self._level.minutes):
            self._level = found
        newest = self._watched.latest
        if self._level is None or newest is None:
            return
        past = tuple(borrowed(self.asset, history.bars["1m"], self._level))
        self._detector.begin_with(past, hours_usd(history.bars["1h"], self._level))
        self._is_filled = self._detector.is_whole(newest.to_ms)
        self._write_note(newest.to_ms)
        self.log.info(
            "volume_past_borrowed",
            asset=self.asset,
            contract=":".join(self._level.contract),
            factor=round(self._level.factor, 3),
            minutes=len(past),
            known_quarters=self._detector.known_quarters(newest.to_ms),
        )

    def _write_note(self, at_ms: int) -> None:
        known, least = self._detector.known_quarters(at_ms), self._rule.least_samples
        state = "watching" if known >= least else "warming"
        raised = f", the past from {':'.join(self._level.contract)} x {self._level.factor:.2f}" if self._level else ""
        self.note(f"{state}: {known} quarters of an hour known{raised}")
