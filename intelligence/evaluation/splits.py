"""Walk-forward slices with days between them, and assets held out (detection.md 12.7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP_DAYS = 1  # horizons are four hours at most


@dataclass(frozen=True, slots=True)
class Slice:
    """Days, each from the first to before the last: to fit on, to choose limits on, to score."""

    fit: tuple[int, int]
    choose: tuple[int, int]
    score: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Days of each part; those of detection.md 12.7 unless the recording is too short for them."""

    fit: int = 60
    choose: int = 14
    score: int = 14

    @classmethod
    def for_days(cls, days: int) -> "Lengths":
        usual = cls()
        if days >= usual.fit + usual.choose + usual.score + 2 * GAP_DAYS:
            return usual
        part = max(1, days // 5)
        return cls(fit=max(1, 2 * part), choose=part, score=part)


def walk_forward(first: int, after: int, lengths: Lengths, gap: int = GAP_DAYS) -> Iterator[Slice]:
    """Slices of the days from `first` to before `after`; no day is scored twice. What is fitted on grows with time."""
    at = first + lengths.fit
    while at + 2 * gap + lengths.choose < after:
        choose = (at + gap, at + gap + lengths.choose)
        score = (choose[1] + gap, min(after, choose[1] + gap + lengths.score))
        yield Slice((first, at), choose, score)
        at += lengths.score


def held_out(assets: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each asset with those that a rule for it may be fitted on; one asset alone has only its own past."""
    for asset in assets:
        others = tuple(one for one in assets if one != asset)
        yield asset, others or (asset,)
