"""One conflict of one venue on trial: what was observed, the verdict that holds, and what ends it. No I/O, no clock."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from actors.exchanges.queries import Instruments, Query
from actors.exchanges.verdicts import PAIRS, verdict_of
from intelligence.market import Liquidation

ROWS = 1_000  # of the sockets are kept, the newest

Outcome = Literal["", "settled", "verified", "withdrawn"]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, from how many observations, and since when (market ms); `verified_ms`: when they last spoke for it."""

    conflict: str
    verdict: str
    evidence: int
    settled_ms: int
    verified_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """How a conflict is settled (verdicts.py).

    `votes(rows, answers)`: what each observation says; rows of the sockets, answers of REST.
    `ask(instruments, since_ms, until_ms)`: the questions to REST, None where the sockets tell all. `listens`: rows of the
    sockets are needed. `enough`: so many votes settle it. `unread(row, verdict)`: a row that was read by a verdict, as
    if nothing were settled.
    """

    conflict: str
    votes: Callable[[Sequence[Liquidation], Sequence[Any]], list[str]]
    ask: Callable[[Instruments, int, int], tuple[Query[Any], ...]] | None = None
    listens: bool = True
    enough: int = PAIRS
    unread: Callable[[Liquidation, str], Liquidation] = lambda row, _: row


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTimes:
    """Market time in ms. `evidence_ms`: how far back rows are compared. `verify_ms`: after that a verdict is tested again.
    `lapse_ms`: one that nothing has spoken for in that time is withdrawn.
    """

    evidence_ms: int
    verify_ms: int
    lapse_ms: int


class Trial:
    """Comes to a verdict when enough observations agree, and drops it when one of them speaks against it."""

    def __init__(self, test: SelfTest, times: TrialTimes) -> None:
        self.conflict = test.conflict
        self.held: Held | None = None
        self.why = ""  # the last verdict was withdrawn
        self._test, self._times = test, times
        self._rows: deque[Liquidation] = deque(maxlen=ROWS)
        self._answers: list[Any] = []

    @property
    def settled(self) -> Mapping[str, str]:
        """For `Exchange.decoder`."""
        return {} if self.held is None else {self.conflict: self.held.verdict}

    @property
    def heard(self) -> int:
        return len(self._rows)

    def remember(self, held: Held) -> bool:
        """Go on with a verdict of before; False where it is of another conflict, or newer observations have spoken."""
        if self.held is not None or held.conflict != self.conflict:
            return False
        self.held = held
        return True

    def hear(self, rows: Iterable[Liquidation], read_by: Mapping[str, str]) -> None:
        """Take rows of a socket; `read_by`: what its decoder took for settled."""
        if self._test.listens:
            verdict = read_by.get(self.conflict, "")
            self._rows.extend(self._test.unread(row, verdict) for row in rows)

    def questions(self, instruments: Instruments, now_ms: int) -> tuple[Query[Any], ...]:
        """What to ask REST now; nothing where there is nothing to compare it with, or the verdict is fresh."""
        self._forget(now_ms)
        self._answers.clear()
        test, held = self._test, self.held
        if test.ask is None or (held is not None and now_ms < held.verified_ms + self._times.verify_ms):
            return ()
        if not test.listens:
            return test.ask(instruments, now_ms, now_ms)
        if len(self._rows) < test.enough:
            return ()
        return test.ask(instruments, min(row.exchange_ms for row in self._rows), now_ms)

    def learn(self, answers: Iterable[Any]) -> None:
        self._answers += answers

    def judge(self, now_ms: int) -> Outcome:
        """Take up what the observations say now."""
        votes = self._test.votes(self._rows, self._answers)
        held, verdict = self.held, verdict_of(votes, self._test.enough)
        if held is None:
            if not verdict:
                return ""
            self.held = Held(
                conflict=self.conflict,
                verdict=verdict,
                evidence=len(votes),
                settled_ms=now_ms,
                verified_ms=now_ms,
            )
            return "settled"
        against = sum(vote != held.verdict for vote in votes)
        if against:
            return self._withdraw(f"{against} of {len(votes)} observations speak against it")
        if now_ms > held.verified_ms + self._times.lapse_ms:
            return self._withdraw(f"nothing has spoken for it for {self._times.lapse_ms / 86_400_000:g} days")
        if verdict and now_ms >= held.verified_ms + self._times.verify_ms:
            self.held = msgspec.structs.replace(held, evidence=len(votes), verified_ms=now_ms)
            return "verified"
        return ""

    def _withdraw(self, why: str) -> Outcome:
        """Start over: what was observed so far may be of two minds because the venue has changed its own."""
        self.held, self.why = None, why
        self._rows.clear()
        self._answers.clear()
        return "withdrawn"

    def _forget(self, now_ms: int) -> None:
        oldest_ms = now_ms - self._times.evidence_ms
        while self._rows and self._rows[0].exchange_ms < oldest_ms:
            self._rows.popleft()
