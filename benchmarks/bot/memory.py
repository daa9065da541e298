"""What the daemon and the processes it has started hold in memory, sampled beside everything else."""

import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.soak import cpu_s

SAMPLE_S = 5.0
MIB_KIB = 1024


class Sample(NamedTuple):
    """PSS in MiB of the daemon's own process, and of those below it; CPU seconds of all."""

    at_s: float
    daemon_mib: float
    others_mib: float
    others: int
    cpu_s: float

    @property
    def all_mib(self) -> float:
        return self.daemon_mib + self.others_mib


class Sampler:
    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def since(self, at_s: float) -> list[Sample]:
        return [one for one in self.samples if one.at_s >= at_s]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(SAMPLE_S)

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            others = below(self._pid)
            self.samples.append(
                Sample(
                    time.monotonic(),
                    pss_mib(self._pid),
                    sum(map(pss_mib, others)),
                    len(others),
                    sum(map(_cpu_s, (self._pid, *others))),
                )
            )


def below(pid: int) -> tuple[int, ...]:
    """All processes that it has started, and theirs."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in file.read_text(encoding="ascii").split()]
        except OSError:  # that thread has just ended
            continue
        for child in children:
            found += (child, *below(child))
    return tuple(found)


def pss_mib(pid: int) -> float:
    """Its share of what it maps; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / MIB_KIB


def _cpu_s(pid: int) -> float:
    try:
        return cpu_s(pid)
    except OSError:
        return 0.0
