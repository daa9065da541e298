"""CPU of this whole process, all threads and the kernel's part, from trade 5 % to the last one."""

import json
import os
import resource
import time
from collections.abc import Callable
from typing import NoReturn


class Meter:
    """`step(n)` counts trades that were handled; at the last one `settle` is called, the result printed, and all ends."""

    def __init__(self, trades: int, settle: Callable[[], None] = lambda: None) -> None:
        self._last, self._first = trades, max(1, trades // 20)
        self._settle = settle
        self._seen = 0
        self._began = (0, 0.0, 0.0)

    def step(self, count: int = 1) -> None:
        before, self._seen = self._seen, self._seen + count
        if before < self._first <= self._seen:
            self._began = (self._seen, _cpu_s(), time.perf_counter())
        if self._seen >= self._last:
            self.finish()

    def trade(self, price: float, coins: float, symbol: str, sells: bool, at_ms: int, number: int) -> None:  # noqa: ARG002, FBT001, PLR0917
        """The callback of a client that hands over one trade at a time."""
        self._seen += 1
        if self._seen == self._first:
            self._began = (self._seen, _cpu_s(), time.perf_counter())
        elif self._seen == self._last:
            self.finish()

    def finish(self, **more: float) -> NoReturn:
        self._settle()
        first, cpu_s, wall_s = self._began
        trades, cpu_s, wall_s = self._seen - first, _cpu_s() - cpu_s, time.perf_counter() - wall_s
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        result = {"cpu_per_m": cpu_s / trades * 1e6, "rate": trades / wall_s, "share": cpu_s / wall_s, "rss_mb": peak}
        print("RESULT " + json.dumps(result | more), flush=True)
        os._exit(0)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
