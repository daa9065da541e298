"""What one venue still owes the watched assets of their past, in the order of their importance. No I/O, no clock."""

from collections import deque
from collections.abc import Iterable

from actors.backfill_jobs import Job


class Backlog:
    """`order`: the assets, the most important first. `ready`: those of which it was told that nothing urgent is owed."""

    def __init__(self) -> None:
        self.order: tuple[str, ...] = ()
        self.ready: set[str] = set()
        self._jobs: dict[str, deque[Job]] = {}
        self._job: Job | None = None  # in work

    @property
    def waiting(self) -> int:
        """Spans that are yet to come."""
        return sum(len(jobs) for jobs in self._jobs.values()) + (self._job is not None)

    def follow(self, order: tuple[str, ...]) -> None:
        """Go on with these assets and forget the others."""
        self.order = order
        self._jobs = {asset: jobs for asset, jobs in self._jobs.items() if asset in order}
        self.ready &= set(order)

    def line_up(self, asset: str, jobs: Iterable[Job]) -> None:
        """Owe the asset these and nothing else, but for the one in work."""
        self._jobs[asset] = deque(job for job in jobs if self._job is None or not job.is_same(self._job))

    def take(self) -> Job | None:
        """The one in work, else what is urgent of the most important asset, else the rest in the same order."""
        self._job = self._job or self._next()
        return self._job

    def _next(self) -> Job | None:
        for urgent in (True, False):
            for asset in self.order:
                jobs = self._jobs.get(asset)
                if jobs and (jobs[0].is_urgent or not urgent):
                    return jobs.popleft()
        return None

    def done(self) -> None:
        """The one in work is over, whatever came of it."""
        self._job = None

    def put_off(self) -> None:
        """Let the one in work wait behind the others of its asset."""
        if self._job is not None:
            self._jobs.setdefault(self._job.asset, deque()).append(self._job)
            self._job = None

    def owes_urgent(self, asset: str) -> bool:
        owed = (*self._jobs.get(asset, ()), self._job)
        return any(job is not None and job.asset == asset and job.is_urgent for job in owed)
