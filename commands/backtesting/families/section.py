"""What the plays of one family over one source come to: a section of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands.backtesting.families.parts import parts_table
from commands.backtesting.families.push_rates import beats_price, rates_plot, rates_table, setting_of
from commands.backtesting.families.recomputed import truth_table, untrue_of
from commands.backtesting.families.reference_events import matching_table
from commands.backtesting.families.selective_delivery import selective
from intelligence.alerts import AlertKind
from intelligence.evaluation.family import Family, Recording
from intelligence.evaluation.matching import Event
from intelligence.evaluation.played import Told
from intelligence.evaluation.recomputed import Recompute
from intelligence.evaluation.report import Section

LOOSEST = {AlertKind.VOLUME_SPIKE: "lift 2.0", AlertKind.OPEN_INTEREST: "p99.5"}
DEFAULT = {AlertKind.VOLUME_SPIKE: "lift 3.0", AlertKind.OPEN_INTEREST: "p99.8, at least 2 %"}

ToldBy = Mapping[str, Mapping[str, Sequence[Told]]]  # by setting, then asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What alerts are held against, by asset: prices, reference events, and the figures themselves."""

    recordings: Mapping[str, Recording]
    events: Mapping[str, Sequence[Event]]
    recompute: Mapping[str, Recompute]


def family_section(title: str, kind: AlertKind, told: ToldBy, evidence: Evidence) -> Section:
    """Liquidations have one setting, which is their loosest too."""
    family = Family(evidence.recordings)
    untrue = untrue_of(told, kind, evidence.recompute)
    settings = [setting_of(family, name, by_asset, untrue[name], kind) for name, by_asset in told.items()]
    only = next(iter(told))
    default, loosest = DEFAULT.get(kind, only), LOOSEST.get(kind, only)
    delivered, delivery_plot = selective(family, told[loosest], kind)
    return Section(
        title=title,
        text=tuple(filter(None, (beats_price(settings),))),
        tables=(
            rates_table(settings),
            truth_table(told, kind, evidence.recordings, untrue),
            matching_table(family, told[default], evidence.events, kind),
            parts_table(family, told[default], kind, default),
            delivered,
        ),
        plots=tuple(filter(None, (rates_plot(settings, title), delivery_plot))),
    )
