"""A feature's subtree: built, and its code imported, when it starts and not before (supervision.md 18)."""

from collections.abc import Callable
from typing import Any

from actors.failures import NeedsOperator
from supervisors.processor import Allowance, Consumption
from supervisors.spec import SupervisorSpec
from supervisors.supervisor import Supervisor


class Feature(Supervisor):
    """`spec` imports what the feature needs and says what it is made of; a failure parks the feature and nothing else.

    So does taking more of a processor than its `allowance`: threads share one interpreter, and the core needs it. Where a
    simulated market runs faster than the world, its seconds count.
    """

    def init(
        self, spec: SupervisorSpec | Callable[[], SupervisorSpec], allowance: Allowance | None = None, **_: Any
    ) -> None:
        self._consumption = None if allowance is None else Consumption(allowance)
        self._lasted_s, self._clock_s = 0.0, self._times_s
        try:
            built = spec() if callable(spec) else spec
        except ImportError as error:
            raise NeedsOperator(f"unavailable: {error}") from error
        super().init(built)

    @property
    def _times_s(self) -> tuple[float, float]:
        return self.system.clock.monotonic(), self.now_ms / 1000

    def _on_health_tick(self) -> None:
        super()._on_health_tick()
        before_s, self._clock_s = self._clock_s, self._times_s
        self._lasted_s += max(now - before for now, before in zip(self._clock_s, before_s, strict=True))
        if self._consumption is None or not self._consumption.due(self._lasted_s):
            return
        used_s = {(path, one.actor.epoch): one.actor.vitals.cpu_s for path, one in self.system.below(self.path)}
        if share := self._consumption.excess(self._lasted_s, used_s):
            raise NeedsOperator(f"cpu: it takes {100 * share:.3g} % of a processor, which the core may need")
