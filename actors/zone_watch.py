"""Predicts where liquidations of one asset wait, minute by minute, beside its symbol stream. Hosted on a worker of its own."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from actors import checkpoints, paths
from actors.mailbox import Lane
from actors.messages.alerts import AlertRaised
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import MarginTiersTold, MarginTiersWanted, ZonesTold, ZonesWanted
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.supervised import Supervised
from intelligence.margin_tiers import MarginTiers
from intelligence.minute import Minute
from intelligence.zones.book import KeptBook
from intelligence.zones.model import KeptZones, ZoneModel
from intelligence.zones.rules import ZoneRules
from intelligence.zones.telling import alert_of

SCHEMA = 2
LEARNED, BOOK = "learned", "book"  # the parts of a checkpoint: what is small and dear, and the positions by price
LEARNED_EVERY_MIN, BOOK_EVERY_MIN = 5, 30  # ours: 50 assets write some 5 KB and 130 KB each
LEARNED_HORIZON_S = 14 * 86_400.0
BOOK_HORIZON_S = 6 * 3_600.0  # ours: positions that nobody watched for longer are begun anew out of the past
RESTORE_S = 10.0  # how long an answer about checkpoints is waited for
IDLE_S = 900.0  # market seconds without a minute: the asset's stream has ended
ASKS_MIN = (0, 1, 2, 5, 10, 30)  # minutes after the first one at which the past and the tiers are asked for
TIERS_EVERY_MIN = 360


@dataclass(frozen=True, slots=True)
class _Begin:
    """Nobody has answered about checkpoints: begin without."""


@dataclass(frozen=True, slots=True)
class _Idle:
    """Look whether any minute has come lately."""


class ZoneWatch(Supervised):
    """Whatever goes wrong here costs no other alert. What it has learned it finds in the checkpoints, as a successor and in
    another process; minutes that come before the answer wait for it. Alert ids are stable, so nothing is told twice.
    """

    def init(self, *, child_id: str, rules: ZoneRules, venues: tuple[str, ...]) -> None:
        """`venues`: those whose margin tiers somebody reads."""
        self.asset = paths.asset_of(child_id)
        self.log = self.log.bind(asset=self.asset)
        self._rules, self._venues = rules, venues
        self._model = ZoneModel(self.asset, rules)
        self._tiers: dict[str, MarginTiers] = {}
        self._restored: dict[str, CheckpointRestored] = {}
        self._minutes = 0
        self._offset = crc32(self.asset.encode())  # assets take turns to write
        self._heard_ms = self.now_ms
        self._waiting: list[Minute] | None = None  # None: begun
        self.timer.every("idle", IDLE_S, _Idle(), market=True)
        if checkpoints.ask_for(self, LEARNED) and checkpoints.ask_for(self, BOOK):
            self._waiting = []
            self.timer.once("begin", RESTORE_S, _Begin())

    def handle(self, message: Any) -> ZonesTold | None:
        match message:
            case ZonesWanted():
                return ZonesTold(view=self._model.view())
            case MinuteClosed(minute=minute):
                self._heard_ms = self.now_ms
                if self._waiting is None:
                    self._take(minute)
                else:
                    self._waiting.append(minute)
            case HistoryTold(history=history):
                self._model.begin_with(history)
            case MarginTiersTold(tiers=tiers):
                self._ask_of_positions(tiers)
            case CheckpointRestored(part=part):
                self._restored[part] = message
                self._begin(late=False)
            case _Begin():
                self._begin(late=True)
            case _Idle():
                self._end_if_idle()
            case _:
                super().handle(message)
        return None

    def _ask_of_positions(self, tiers: MarginTiers) -> None:
        if self._tiers.get(tiers.venue) != tiers:
            self._tiers[tiers.venue] = tiers
            self._model.set_tiers(self._tiers)

    def _end_if_idle(self) -> None:
        if self.now_ms - self._heard_ms >= IDLE_S * 1000:
            self.finish()

    def terminate(self, reason: str) -> None:
        if reason != "failed" and not self.fenced and hasattr(self, "_waiting") and self._minutes:
            self._keep_learned()
            self._keep_book()

    # -- beginning ----------------------------------------------------------------------------------------------------

    def _begin(self, *, late: bool) -> None:
        """Begin once both parts have been told, or without what is not there when it is late."""
        if self._waiting is None or (len(self._restored) < 2 and not late):
            return
        waiting, self._waiting = self._waiting, None
        learned, book = self._read(LEARNED, KeptZones), self._read(BOOK, KeptBook)
        if learned is not None or book is not None:
            self.on_trial()
            try:
                self._model.restore(learned, book)
            except ValueError as error:
                self.log.warning("checkpoint_refused", owner=self.path, part=LEARNED, reason=str(error))
                self._model = ZoneModel(self.asset, self._rules)
        for minute in waiting:
            self._take(minute)

    def _read(self, part: str, kind: type[Any]) -> Any:
        restored = self._restored.pop(part, None)
        return checkpoints.read(self, restored, kind, schema=SCHEMA) if restored else None

    # -- minutes ------------------------------------------------------------------------------------------------------

    def _take(self, minute: Minute) -> None:
        warned = self._model.take(minute)
        for approach in warned:
            alert = alert_of(approach, self._model.warned, now_ms=self.now_ms)
            self.send(paths.DISPATCHER, AlertRaised(alert=alert), redeliver=True)
        self._ask()
        self._minutes += 1
        turn = self._minutes + self._offset
        if warned or turn % LEARNED_EVERY_MIN == 0:
            self._keep_learned()
        if turn % BOOK_EVERY_MIN == 0:
            self._keep_book()
        self.progress()

    def _ask(self) -> None:
        if self._minutes not in ASKS_MIN and self._minutes % TIERS_EVERY_MIN:
            return
        stream = paths.symbol_path(self.asset)
        if self._model.wants_past and self.system.find(stream) is not None:
            self.send(stream, HistoryWanted(path=self.path), lane=Lane.DATA)
        for venue in self._venues:
            reader = f"{paths.MARGIN_TIERS}/{venue}"
            if self.system.find(reader) is not None:
                self.send(reader, MarginTiersWanted(asset=self.asset, path=self.path), lane=Lane.DATA)

    # -- for a successor ----------------------------------------------------------------------------------------------

    def _keep_learned(self) -> None:
        checkpoints.keep(self, LEARNED, self._model.kept(), schema=SCHEMA, horizon_s=LEARNED_HORIZON_S)

    def _keep_book(self) -> None:
        checkpoints.keep(self, BOOK, self._model.kept_book(), schema=SCHEMA, horizon_s=BOOK_HORIZON_S)
