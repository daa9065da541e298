"""What a symbol stream leaves behind: retained in its mailbox for a successor, in a checkpoint for another process."""

from actors import checkpoints
from actors.messages.market import MarksSeen
from actors.stream_memory import (
    DETECTION,
    DETECTION_HORIZON_S,
    DETECTION_SCHEMA,
    HISTORY,
    HISTORY_HORIZON_S,
    HISTORY_SCHEMA,
    Learned,
    forget_before,
    kept_detection,
)
from actors.supervised import Supervised
from intelligence.detectors.asset import AssetDetection
from intelligence.history import AssetHistory

MARK_KEPT_EVERY_MS = 5_000  # of each instrument, for a successor: prices to within 5 s at a fifth of the memory


class StreamKeeping:
    """Speaks for its `owner`, a symbol stream. `changed`: liquidations or thresholds have come since the last checkpoint."""

    def __init__(self, owner: Supervised) -> None:
        self._owner = owner
        self._kept_ms: dict[tuple[str, str], int] = {}
        self._closed_minute: int | None = None
        self._learned = False
        self.changed = False

    def retain_mark(self, seen: MarksSeen, detection: AssetDetection) -> None:
        """Retain a mark now and then, and what is learned of the price each minute."""
        mark = seen.mark
        instrument = (mark.venue, mark.instrument)
        if mark.received_ms < self._kept_ms.get(instrument, 0) + MARK_KEPT_EVERY_MS:
            return
        self._kept_ms[instrument] = mark.received_ms
        self._owner.retained.append(seen)
        state = detection.volatility_state
        if state is not None and state.closed_minute != self._closed_minute:
            self._closed_minute = state.closed_minute
            self._owner.retained.append(Learned(state))
            self._learned = True
        self.forget(detection)

    def forget(self, detection: AssetDetection) -> None:
        forget_before(detection.oldest_needed_ms, self._owner.retained)

    def keep(self, detection: AssetDetection) -> None:
        """Have kept what another process would need at once, if anything of it is new."""
        if self.changed or self._learned or detection.open_incidents:
            self._keep(detection)

    def keep_at_stop(self, detection: AssetDetection) -> None:
        """The same without what was learned of the price in the last minute: hundreds of streams have little time."""
        if self.changed or detection.open_incidents:
            self._keep(detection)

    def keep_history(self, history: AssetHistory) -> None:
        """Have kept what another process could ask for by REST, too."""
        checkpoints.keep(self._owner, HISTORY, history.kept(), schema=HISTORY_SCHEMA, horizon_s=HISTORY_HORIZON_S)

    def _keep(self, detection: AssetDetection) -> None:
        self.changed = self._learned = False
        state = kept_detection(self._owner.retained, detection.volatility_state, is_open=bool(detection.open_incidents))
        checkpoints.keep(self._owner, DETECTION, state, schema=DETECTION_SCHEMA, horizon_s=DETECTION_HORIZON_S)
