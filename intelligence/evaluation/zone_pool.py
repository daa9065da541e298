"""What models and null zones come to over many worlds together, each world counting alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from intelligence.evaluation.bars import Flags, Floats, Ints
from intelligence.evaluation.calibration import Calibration, calibration
from intelligence.evaluation.intervals import Interval, Share, bootstrap_difference, bootstrap_mean
from intelligence.evaluation.zone_forecasts import Forecaster, Levels, World, leads, watch
from intelligence.evaluation.zone_nulls import density_nulls, nulls
from intelligence.evaluation.zone_reflection import ReflectionWarner, Terms
from intelligence.evaluation.zone_scores import (
    Capture,
    Cells,
    Touched,
    WarnedOf,
    capture,
    cells_of,
    density_of,
    reaction_ratio,
    touched,
    warned_of,
)

LEAD_MIN = (2.0, 5.0)
LEAST_TOUCHES = 20
ANY_TIME = 1.0  # no chance is too late
ITSELF = "itself"  # a model's density among those of its nulls


@dataclass(frozen=True, slots=True, eq=False)
class Of:
    """One model, or one kind of null zones, in one world."""

    touched: Touched
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class InWorld:
    """One model in one world, with null zones like its own. `density`: of a model that tells it for all prices, the cells of it
    and of null densities. `usd`: liquidated in all, by which sums are divided. `leads`: of each touched large zone, minutes since
    it was warned of, nan where nobody warned. `reflected`: whoever warns by reflection, by the bound and the level
    between which it does.
    """

    model: Of
    nulls: Mapping[str, Of]
    density: Mapping[str, Cells]
    warned: WarnedOf
    reflected: Mapping[float, Mapping[float, WarnedOf]]
    leads: Floats
    usd: float
    days: float


def judge(world: World, forecaster: Forecaster, seed: int, reaction_min: int, terms: Terms | None) -> InWorld:
    """`terms`: those of the model's warnings, to which whoever warns by reflection keeps; None where the model has none."""
    kept_to = (terms, replace(terms, too_late=ANY_TIME)) if terms is not None else ()
    reflecting = {one.too_late: ReflectionWarner(world.bars, one) for one in kept_to}
    watched = watch(world, forecaster, tuple(reflecting.values()))
    levels, first = watched.levels, int(world.places[0])
    begun_ms = int(world.bars.from_ms[first])
    density = {}
    if watched.density is not None:
        density = {ITSELF: watched.density, **density_nulls(watched.density, world, seed)}
    return InWorld(
        model=_of(levels, world, reaction_min),
        nulls={name: _of(one, world, reaction_min) for name, one in nulls(levels, world, seed).items()},
        density={name: cells_of(one, world) for name, one in density.items()},
        warned=warned_of(watched.warned, world),
        reflected={
            bound: {level: warned_of(told, world) for level, told in one.warned(first).items()}
            for bound, one in reflecting.items()
        },
        leads=np.array(leads(watched, world.bars.step_min), dtype=np.float64),
        usd=float(world.liquidated.usd[world.liquidated.at_ms >= begun_ms].sum()) or 1.0,
        days=len(world.places) / 24,
    )


def _of(levels: Levels, world: World, reaction_min: int) -> Of:
    return Of(touched(levels, world, reaction_min), cells_of(density_of(levels, world), world))


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
    """The error diagram of the model's zones, or of null zones with its sizes."""
    return _captured(
        pool, [one.model.cells if null is None else one.nulls[null].cells for one in pool], by_world=by_world
    )


def captured_by_density(pool: Pooled, name: str, *, by_world: bool) -> Capture | None:
    """That of all prices, in the order of what is expected there: the model `ITSELF`, or a null; None where it tells none."""
    if not all(one.density for one in pool):
        return None
    return _captured(pool, [one.density[name] for one in pool], by_world=by_world)


def _captured(pool: Pooled, cells: Sequence[Cells], *, by_world: bool) -> Capture | None:
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
    """`precision`: reached within 15 minutes; `off`: that less what was said; `formula`: what reflection says of the same ones.
    `later`: reached two to fifteen minutes after.
    """

    count: int
    a_day: float
    precision: Interval
    off: Interval
    formula: float
    later: Interval
    lead_min: float


def warnings(pool: Pooled, *, by_world: bool) -> Warnings:
    return _warnings(pool, [one.warned for one in pool], by_world=by_world)


def reflected(pool: Pooled, bound: float, *, by_world: bool) -> tuple[Warnings, Interval]:
    """As many on every asset by reflection, which keeps to that upper bound; and the precision of the model's less theirs."""
    others = [_as_many(one, bound) for one in pool]
    own, other = (_joined(some, by_world=by_world) for some in ([one.warned for one in pool], others))
    above = bootstrap_difference((own.came, own.block), (other.came, other.block))
    return _warnings(pool, others, by_world=by_world), above


def _warnings(pool: Pooled, parts: Sequence[WarnedOf], *, by_world: bool) -> Warnings:
    all_ = _joined(parts, by_world=by_world)
    told = np.isfinite(all_.said)
    known = all_.lead_min[np.isfinite(all_.lead_min)]
    return Warnings(
        count=len(all_.came),
        a_day=len(all_.came) / sum(one.days for one in pool),
        precision=bootstrap_mean(all_.came, all_.block),
        off=bootstrap_mean((all_.came - all_.said)[told], all_.block[told]),
        formula=float(all_.baseline.mean()) if len(all_.came) else float("nan"),
        later=bootstrap_mean(all_.lead_min >= LEAD_MIN[0], all_.block),
        lead_min=float(np.median(known)) if len(known) else float("nan"),
    )


def _as_many(one: InWorld, bound: float) -> WarnedOf:
    """From that level on which comes nearest to the model's count, of two the higher."""
    count = len(one.warned.came)
    return min(one.reflected[bound].items(), key=lambda item: (abs(len(item[1].came) - count), -item[0]))[1]


def _joined(parts: Sequence[WarnedOf], *, by_world: bool) -> WarnedOf:
    return WarnedOf(
        came=np.concatenate([one.came for one in parts]),
        said=np.concatenate([one.said for one in parts]),
        baseline=np.concatenate([one.baseline for one in parts]),
        lead_min=np.concatenate([one.lead_min for one in parts]),
        block=_blocks([one.block for one in parts], by_world),
    )


def led(pool: Pooled) -> tuple[Share, Share]:
    """Of the touched large zones: those that were warned of two to five minutes before, and within the hour before."""
    lead = np.concatenate([one.leads for one in pool])
    in_time = (lead >= LEAD_MIN[0]) & (lead <= LEAD_MIN[1])
    return Share(int(in_time.sum()), len(lead)), Share(int(np.isfinite(lead).sum()), len(lead))
