"""What models and null zones come to over many worlds together, each world counting alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intelligence.evaluation.bars import Flags, Floats, Ints
from intelligence.evaluation.calibration import Calibration, calibration
from intelligence.evaluation.intervals import Interval, Share, bootstrap_mean
from intelligence.evaluation.zone_forecasts import Forecaster, World, leads, watch
from intelligence.evaluation.zone_nulls import nulls
from intelligence.evaluation.zone_scores import (
    Capture,
    Cells,
    Touched,
    WarnedOf,
    capture,
    cells_of,
    reaction_ratio,
    touched,
    warned_of,
)

WARNED_MIN = 15
LEAD_MIN = (2.0, 5.0)
LEAST_TOUCHES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Of:
    """One model, or one kind of null zones, in one world."""

    touched: Touched
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class InWorld:
    """One model in one world, with null zones like its own. `usd`: liquidated in all, by which sums are divided. `leads`:
    of each touched large zone, minutes since it was warned of, nan where nobody warned.
    """

    model: Of
    nulls: Mapping[str, Of]
    warned: WarnedOf
    leads: Floats
    usd: float
    days: float


def judge(world: World, forecaster: Forecaster, seed: int, reaction_min: int, step_min: int = 1) -> InWorld:
    watched = watch(world, forecaster, step_min)
    levels = watched.levels
    begun_ms = int(world.bars.from_ms[world.places[0]])
    return InWorld(
        model=Of(touched(levels, world, reaction_min), cells_of(levels, world)),
        nulls={
            name: Of(touched(one, world, reaction_min), cells_of(one, world))
            for name, one in nulls(levels, world, seed).items()
        },
        warned=warned_of(watched, world, WARNED_MIN),
        leads=np.array(leads(watched), dtype=np.float64),
        usd=float(world.liquidated.usd[world.liquidated.at_ms >= begun_ms].sum()) or 1.0,
        days=len(world.places) / 24,
    )


Pooled = Sequence[InWorld]


def _blocks(parts: Sequence[Ints], by_world: bool) -> Ints:  # noqa: FBT001
    """Whole worlds where there are many, else the days of the one."""
    if by_world:
        return np.concatenate([np.full(len(part), number) for number, part in enumerate(parts)]).astype(np.int64)
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def reaction(pool: Pooled, null: str, *, by_world: bool) -> tuple[Interval, int, int]:
    """LDR against one kind of null zones, and how many touched zones it rests on: the model's, the null's."""
    sides = [[one.model.touched.reaction for one in pool], [one.nulls[null].touched.reaction for one in pool]]
    rows = []
    for side in sides:
        usd = np.concatenate([part[0] / one.usd for part, one in zip(side, pool, strict=True)])
        width = np.concatenate([part[1] for part in side])
        rows.append((usd, width, _blocks([part[2] for part in side], by_world)))
    return reaction_ratio(rows[0], rows[1]), len(rows[0][0]), len(rows[1][0])


def captured(pool: Pooled, null: str | None, *, by_world: bool) -> Capture | None:
    """The error diagram of the model, or of null zones with its sizes."""
    cells = [one.model.cells if null is None else one.nulls[null].cells for one in pool]

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in cells])

    return capture(
        Cells(
            density=np.concatenate([part.density / one.usd for part, one in zip(cells, pool, strict=True)]),
            measure=joined("measure"),
            usd=np.concatenate([part.usd / one.usd for part, one in zip(cells, pool, strict=True)]),
            block=_blocks([part.block for part in cells], by_world),
            all_measure=joined("all_measure"),
            all_usd=np.concatenate([part.all_usd / one.usd for part, one in zip(cells, pool, strict=True)]),
            all_block=_blocks([part.all_block for part in cells], by_world),
        )
    )


def calibrated(pool: Pooled, *, by_world: bool) -> Calibration | None:
    """Of the chances of a touch that the model told, against the reflection formula."""
    parts = [one.model.touched for one in pool]
    told = [np.isfinite(part.levels.said) for part in parts]

    def joined(pick: Sequence[Floats | Flags]) -> Floats:
        return np.concatenate([one[keep] for one, keep in zip(pick, told, strict=True)]).astype(np.float64)

    said = joined([part.levels.said for part in parts])
    if not len(said):
        return None
    blocks = _blocks([part.block[keep] for part, keep in zip(parts, told, strict=True)], by_world)
    came = joined([part.is_touched for part in parts]) > 0
    return calibration(said, joined([part.baseline for part in parts]), came, blocks)


@dataclass(frozen=True, slots=True)
class Warnings:
    """`precision`: reached within 15 minutes; `above`: that less the reflection baseline. `in_time`: of the touched large
    zones, those that were warned of two to five minutes before.
    """

    count: int
    a_day: float
    precision: Interval
    baseline: float
    above: Interval
    median_lead_min: float
    touched: int
    in_time: Share
    warned_before: Share


def warnings(pool: Pooled, *, by_world: bool) -> Warnings:
    came = np.concatenate([one.warned.came for one in pool]).astype(np.float64)
    baseline = np.concatenate([one.warned.baseline for one in pool])
    blocks = _blocks([one.warned.block for one in pool], by_world)
    lead = np.concatenate([one.leads for one in pool])
    in_time = (lead >= LEAD_MIN[0]) & (lead <= LEAD_MIN[1])
    known = lead[np.isfinite(lead)]
    return Warnings(
        count=len(came),
        a_day=len(came) / sum(one.days for one in pool),
        precision=bootstrap_mean(came, blocks),
        baseline=float(baseline.mean()) if len(baseline) else float("nan"),
        above=bootstrap_mean(came - baseline, blocks),
        median_lead_min=float(np.median(known)) if len(known) else float("nan"),
        touched=len(lead),
        in_time=Share(int(in_time.sum()), len(lead)),
        warned_before=Share(len(known), len(lead)),
    )
