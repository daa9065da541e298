"""A2 over the push rate: every setting of a family beside other alarms with as many pushes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intelligence.alerts import AlertKind
from intelligence.evaluation.family import LEAST_ALERTS, Family, Score, better
from intelligence.evaluation.intervals import Interval
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.recomputed import Reasons
from intelligence.evaluation.report import NOT_MEASURABLE, Cell, Line, Plot, Table, figure

OTHERS = ("price only", "volume only (naive z)", "fixed USD", "always on after an alarm", "random, seasonal")
OWN = (
    "setting",
    "pushes an asset and day",
    "alerts",
    "A2, mean of assets",
    "A2, pooled",
    "above",
    "strict",
    "with room",
    "as /stats tells it",
    "base",
)
AGAINST_PRICE = "ours less price only"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with what it scored, by the ledger's control times too, and others with as many pushes."""

    name: str
    ours: Score
    as_ledger: Score
    others: Mapping[str, Score]

    @property
    def against_price(self) -> Interval:
        return better(self.ours, self.others["price only"])


def setting_of(
    family: Family, name: str, told: Mapping[str, Sequence[Told]], untrue: Mapping[str, Reasons], kind: AlertKind
) -> Setting:
    """`untrue`: by asset, the alerts that are not A1, which are not consequential either."""
    alerts = {asset: raised(told.get(asset, ()), kind) for asset in family.recordings}
    places, starts = family.places(alerts), family.starts(alerts)
    false = {asset: [one for one in found if one.alert_id in untrue[asset]] for asset, found in alerts.items()}
    ours = family.score(places, starts, family.places(false))
    return Setting(name, ours, family.score_as_ledger(places, starts), family.baselines(places))


def rates_table(settings: Sequence[Setting]) -> Table:
    others = [name for name in OTHERS if settings and name in settings[0].others]
    return Table(
        title="A2 at equal numbers of pushes",
        columns=(*OWN, *others, AGAINST_PRICE),
        rows=tuple(_row(one, others) for one in settings),
        note="Brackets: 95 % of a bootstrap by whole days. Above: one-sided 95 % Wilson bound, too high where alerts cluster. "
        "As /stats tells it: with room, against control times of the same hour of the week on five days or more. Base: how "
        f"often control times pass themselves. Not measurable: fewer than {LEAST_ALERTS} alerts, or no control times.",
    )


def _row(one: Setting, others: Sequence[str]) -> tuple[Cell, ...]:
    ours = one.ours
    own: tuple[Cell, ...] = (one.name, figure(ours.rate), ours.share.of)
    if not ours.is_measurable:
        return (*own, *(NOT_MEASURABLE,) * (len(OWN) - len(own) + len(others) + 1))
    return (
        *own,
        figure(ours.mean),
        figure(ours.plain),
        figure(ours.share.lower),
        figure(ours.strict),
        figure(ours.with_room),
        figure(one.as_ledger.with_room, one.as_ledger.share.of) if one.as_ledger.is_measurable else NOT_MEASURABLE,
        figure(ours.base),
        *(figure(one.others[name].plain) for name in others),
        figure(one.against_price),
    )


def beats_price(settings: Sequence[Setting]) -> str:
    """Which settings a detector may ship with by detection.md 12.5, as a sentence; "" where nothing can be measured."""
    measured = [one for one in settings if one.ours.is_measurable]
    if not measured:
        return ""
    better_ones = [one.name for one in measured if one.against_price.low > 0]
    undecided = [one.name for one in measured if not one.against_price.excludes(0.0)]
    words = "Better than as many price alarms, with an interval that excludes 0: " + (
        "; ".join(better_ones) or "no setting"
    )
    return words + (f". Not decided: {'; '.join(undecided)}." if undecided else ".")


def rates_plot(settings: Sequence[Setting], title: str) -> Plot | None:
    """None where nothing can be measured."""
    measured = sorted((one for one in settings if one.ours.is_measurable), key=lambda one: one.ours.rate)
    if not measured:
        return None
    rates = tuple(one.ours.rate for one in measured)
    lines = [_line("ours", rates, [one.ours for one in measured], band=True)]
    lines += [
        _line(name, rates, [one.others[name] for one in measured]) for name in OTHERS if name in measured[0].others
    ]
    return Plot(title=title, x_label="pushes an asset and day", y_label="A2", lines=tuple(lines))


def _line(name: str, rates: tuple[float, ...], scores: Sequence[Score], *, band: bool = False) -> Line:
    return Line(
        name=name,
        x=rates,
        y=tuple(one.plain.value for one in scores),
        low=tuple(one.plain.low for one in scores) if band else (),
        high=tuple(one.plain.high for one in scores) if band else (),
        dashed=not band,
    )
