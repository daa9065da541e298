"""What the plays of one family over one source come to: tables and curves of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from commands.backtesting.plays import SOURCES, minutes_of
from intelligence.alerts import AlertKind
from intelligence.evaluation import baselines, reference
from intelligence.evaluation.bars import DAY_MIN, Bars, Flags, Floats, Ints, bars_of
from intelligence.evaluation.family import LEAST_ALERTS, Family, Recording, Score, better
from intelligence.evaluation.intervals import Share, bootstrap_mean
from intelligence.evaluation.matching import Event, Matching
from intelligence.evaluation.outcomes import Outcomes
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.report import Cell, Line, Plot, Section, Table, figure
from intelligence.evaluation.selective import GOAL, Scored, most_likely, precision, score_forward
from intelligence.evaluation.splits import Lengths, walk_forward
from intelligence.market import Liquidation
from intelligence.outcomes.consequence import OWN_HORIZON
from intelligence.thresholds.sessions import SessionRule

LOOSEST = {AlertKind.VOLUME_SPIKE: "lift 2.0", AlertKind.OPEN_INTEREST: "p99.5"}
DEFAULT = {AlertKind.VOLUME_SPIKE: "lift 3.0", AlertKind.OPEN_INTEREST: "p99.8, at least 2 %"}
RATES = (0.5, 1.0, 2.0, 4.0)
AFTER_TAPE_MS = 3 * 3_600_000
OTHERS = ("price only", "volume only (naive z)", "fixed USD", "always on after an alarm", "random, seasonal")
TOO_FEW = "not measurable"

ToldBy = Mapping[str, Mapping[str, Sequence[Told]]]  # by setting, then asset


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with what it scored, and others with as many pushes."""

    name: str
    ours: Score
    others: Mapping[str, Score]


def recordings_of(data: Path, source: str, kind: AlertKind) -> dict[str, Recording]:
    about = SOURCES[source]
    found = {}
    for asset in about.assets:
        bars = bars_of(minutes_of(data, source, asset), about.step_min)
        outcomes = Outcomes(bars, OWN_HORIZON[kind])
        found[asset] = Recording(outcomes, int(about.warm_up_days * DAY_MIN / about.step_min))
    return found


def during(recordings: Mapping[str, Recording], tapes: Mapping[str, Sequence[Liquidation]]) -> dict[str, Recording]:
    """Only the days of the tapes count; bars end soon after them."""
    found = {}
    for asset, tape in tapes.items():
        outcomes = recordings[asset].outcomes
        bars = outcomes.bars
        first, last = bars.place_of(np.array([tape[0].exchange_ms, tape[-1].exchange_ms + AFTER_TAPE_MS]))
        found[asset] = Recording(Outcomes(_cut(bars, int(last)), outcomes.horizon_min), max(0, int(first)))
    return found


def _cut(bars: Bars, after: int) -> Bars:
    return Bars(
        asset=bars.asset,
        step_min=bars.step_min,
        from_ms=bars.from_ms[:after],
        high=bars.high[:after],
        low=bars.low[:after],
        close=bars.close[:after],
        usd=bars.usd[:after],
    )


def family_section(
    title: str,
    kind: AlertKind,
    recordings: Mapping[str, Recording],
    told: ToldBy,
    events: Mapping[str, Sequence[Event]],
) -> Section:
    family = Family(recordings)
    settings = [_setting(family, name, by_asset, kind) for name, by_asset in told.items()]
    tables = [_rates_table(settings)]
    plots = [_rates_plot(settings, title)] if any(one.ours.is_measurable for one in settings) else []
    default = DEFAULT.get(kind) or next(iter(told))
    tables.append(_matching_table(family, told[default], events, kind))
    tables.append(_parts_table(family, told[default], kind, default))
    loosest = LOOSEST.get(kind, "")
    if loosest in told:
        table, plot = _selective(family, told[loosest], kind)
        tables.append(table)
        plots += [plot] if plot else []
    return Section(title=title, tables=tuple(tables), plots=tuple(plots))


def _setting(family: Family, name: str, by_asset: Mapping[str, Sequence[Told]], kind: AlertKind) -> Setting:
    alerts = {asset: raised(by_asset.get(asset, ()), kind) for asset in family.recordings}
    places = family.places(alerts)
    return Setting(name, family.score(places, family.starts(alerts)), family.baselines(places))


# -- A2 at equal push rates ----------------------------------------------------------------------------------------


def _rates_table(settings: Sequence[Setting]) -> Table:
    columns = (
        "setting",
        "pushes an asset and day",
        "alerts",
        "A2, mean of assets",
        "A2, pooled",
        "above",
        "strict",
        "with room",
    )
    others = [name for name in OTHERS if settings and name in settings[0].others]
    rows: list[tuple[Cell, ...]] = []
    for one in settings:
        ours = one.ours
        own: tuple[Cell, ...] = (one.name, figure(ours.rate), ours.share.of)
        if not ours.is_measurable:
            rows.append((*own, *(TOO_FEW,) * (5 + len(others) + 1)))
            continue
        rows.append(
            (
                *own,
                figure(ours.mean),
                figure(ours.plain),
                figure(ours.share.lower),
                figure(ours.strict),
                figure(ours.with_room),
                *(figure(one.others[name].plain) for name in others),
                figure(better(ours, one.others["price only"])),
            )
        )
    return Table(
        title="A2 at equal numbers of pushes",
        columns=(*columns, *others, "ours less price only"),
        rows=tuple(rows),
        note="Brackets: 95 % of a bootstrap by whole days. Above: one-sided 95 % Wilson bound, too high where alerts cluster. "
        f"Not measurable: fewer than {LEAST_ALERTS} alerts, or no control times.",
    )


def _rates_plot(settings: Sequence[Setting], title: str) -> Plot:
    measured = sorted((one for one in settings if one.ours.is_measurable), key=lambda one: one.ours.rate)
    rates = tuple(one.ours.rate for one in measured)
    lines = [_line("ours", rates, [one.ours for one in measured], band=True)]
    lines += [
        _line(name, rates, [one.others[name] for one in measured])
        for name in OTHERS
        if measured and name in measured[0].others
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


# -- reference events ----------------------------------------------------------------------------------------------


def _matching_table(
    family: Family, told: Mapping[str, Sequence[Told]], events: Mapping[str, Sequence[Event]], kind: AlertKind
) -> Table:
    alerts = {asset: raised(told.get(asset, ()), kind) for asset in family.recordings}
    counts = {asset: len(found) for asset, found in family.places(alerts).items()}
    whole = kind is AlertKind.CASCADE
    rows = [_matching_row("ours", family.matched(_times(alerts), events, whole=whole))]
    for name, scores in (("price only", baselines.price_only), ("volume only (naive z)", baselines.naive_volume)):
        times = {
            asset: one.bars.end_ms(baselines.strongest(scores(one.bars), counts[asset], one.bars, one.first)).tolist()
            for asset, one in family.recordings.items()
            if counts[asset] and one.bars.usd.any()
        }
        if times:
            matched = family.matched({asset: times.get(asset, []) for asset in counts}, events, whole=whole)
            rows.append(_matching_row(name, matched))
    return Table(
        title="Reference events, matched one to one",
        columns=("alarm", "alerts", "events", "precision", "recall", "F0.5", "lead, median s", "lead above 0"),
        rows=tuple(rows),
        note="Events by the rules of detection.md 12.2, which are unlike the detectors'. Lead: start of the event less delivery.",
    )


def _times(alerts: Mapping[str, Sequence[Told]]) -> dict[str, list[int]]:
    return {asset: [one.at_ms for one in found] for asset, found in alerts.items()}


def _matching_row(name: str, found: Matching) -> tuple[Cell, ...]:
    if found.alerts < LEAST_ALERTS or not found.events:
        return name, found.alerts, found.events, *(TOO_FEW,) * 5
    leads = np.array(found.leads_ms) / 1000
    return (
        name,
        found.alerts,
        found.events,
        figure(Share(len(found.pairs), found.alerts)),
        figure(found.recall),
        figure(found.f_half),
        figure(float(np.median(leads)) if len(leads) else float("nan")),
        figure(float(np.mean(leads > 0)) if len(leads) else float("nan")),
    )


def events_of(
    recordings: Mapping[str, Recording], data: Path, source: str, kind: AlertKind
) -> dict[str, tuple[Event, ...]]:
    """Reference events of minutes; those of liquidations need their tape (`cascades_of`)."""
    if kind is AlertKind.VOLUME_SPIKE:
        return {asset: reference.volume_events(one.bars) for asset, one in recordings.items()}
    found = {}
    for asset, one in recordings.items():
        coins = [
            minute.open_interest[0].quantity if minute.open_interest else np.nan
            for minute in minutes_of(data, source, asset)
        ]
        filled = _filled(np.array(coins))
        found[asset] = reference.open_interest_events(one.bars, filled)
    return found


def cascades_of(
    recordings: Mapping[str, Recording], tapes: Mapping[str, Sequence[Liquidation]]
) -> dict[str, tuple[Event, ...]]:
    found = {}
    for asset, tape in tapes.items():
        times = np.array([one.exchange_ms for one in tape], dtype=np.int64)
        usd = np.array([one.notional_usd for one in tape])
        is_long = np.array([one.position_side.value == "long" for one in tape])
        sides = [
            reference.cascade_events(times, usd, is_long, recordings[asset].bars, long=long) for long in (True, False)
        ]
        found[asset] = tuple(sorted((event for side in sides for event in side), key=lambda one: one.start_ms))
    return found


def _filled(values: Floats) -> Floats:
    places = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return np.asarray(values[places])


# -- parts of the data ---------------------------------------------------------------------------------------------


def _parts_table(family: Family, told: Mapping[str, Sequence[Told]], kind: AlertKind, setting: str) -> Table:
    """A2 of one setting by asset, session, part of the week and volatility."""
    groups: dict[str, list[Flags]] = {}
    days: dict[str, list[Ints]] = {}
    for asset, recording in family.recordings.items():
        places = family.places({asset: raised(told.get(asset, ()), kind)})[asset]
        judged = recording.outcomes.judge(places)
        for name, inside in _parts(asset, recording, judged.places):
            groups.setdefault(name, []).append(judged.plain[inside])
            days.setdefault(name, []).append(recording.bars.day_of(judged.places[inside]))
    rows: list[tuple[Cell, ...]] = []
    for name, parts in groups.items():
        hits = np.concatenate(parts)
        enough = len(hits) >= LEAST_ALERTS
        rows.append((name, len(hits), figure(bootstrap_mean(hits, np.concatenate(days[name]))) if enough else TOO_FEW))
    return Table(title=f"By part, {setting}", columns=("part", "alerts", "A2"), rows=tuple(rows))


def _parts(asset: str, recording: Recording, places: Ints) -> list[tuple[str, Flags]]:
    bars, volatility = recording.bars, recording.outcomes.volatility
    edges = np.quantile(volatility[recording.first :], (1 / 3, 2 / 3))
    tercile = np.searchsorted(edges, volatility[places])
    rule = SessionRule()
    sessions = np.array([str(rule.at(int(at_ms))) for at_ms in bars.end_ms(places)], dtype=object)
    parts = [(asset, np.ones(len(places), dtype=bool))]
    parts += [(f"session {name}", np.asarray(sessions == name)) for name in sorted(set(sessions))]
    parts += [(f"volatility {name}", tercile == place) for place, name in enumerate(("low", "middle", "high"))]
    return parts


# -- selective delivery --------------------------------------------------------------------------------------------


def _selective(family: Family, told: Mapping[str, Sequence[Told]], kind: AlertKind) -> tuple[Table, Plot | None]:
    """On and off at equal pushes, on days and assets that the rule had not seen."""
    candidates = family.candidates({asset: raised(found, kind) for asset, found in told.items()})
    bars = [one.bars for one in family.recordings.values()]
    first = min(int(one.bars.day_of(np.array([one.first]))[0]) for one in family.recordings.values())
    after = max(int(one.day_of(np.array([len(one) - 1]))[0]) for one in bars) + 1
    scored = score_forward(candidates, first, after)
    days = sum(part.score[1] - part.score[0] for part in walk_forward(first, after, Lengths.for_days(after - first)))
    asset_days = days * len(family.recordings)
    came = sum(one.candidate.came for one in scored)
    rows = [row for rate in RATES for row in _selective_rows(scored, rate, asset_days, came)]
    rows.append(_rule_row(scored, asset_days, came))
    table = Table(
        title=f"Selective delivery: {len(scored)} alerts on {asset_days} asset days that were not fitted on",
        columns=("delivery", "pushes an asset and day", "alerts", "A2", "strict", "recall of consequential alerts"),
        rows=tuple(rows),
        note="Off: the strongest by the detector's own measure. On: the likeliest by a logistic rule of six features of the moment, "
        "fitted on other assets (its own past where there is but one) and earlier days, a day apart.",
    )
    return table, _selective_plot(scored, asset_days)


def _selective_rows(scored: Sequence[Scored], rate: float, asset_days: int, came: int) -> list[tuple[Cell, ...]]:
    count = round(rate * asset_days)
    if count > len(scored) or count < 1:
        return []
    off, on = _strongest(scored, count), most_likely(scored, count)
    return [_delivered("off", off, asset_days, came), _delivered("on", on, asset_days, came)]


def _strongest(scored: Sequence[Scored], count: int) -> tuple[Scored, ...]:
    return tuple(sorted(scored, key=lambda one: -one.candidate.features[0])[:count])


def _delivered(name: str, pushed: Sequence[Scored], asset_days: int, came: int) -> tuple[Cell, ...]:
    rate = figure(len(pushed) / asset_days if asset_days else float("nan"))
    if len(pushed) < LEAST_ALERTS:
        return name, rate, len(pushed), *(TOO_FEW,) * 3
    days = np.array([one.candidate.day for one in pushed])
    hits = np.array([one.candidate.came for one in pushed])
    strict = np.array([one.candidate.strict for one in pushed])
    recall = int(hits.sum()) / came if came else float("nan")
    return (
        name,
        rate,
        len(pushed),
        figure(bootstrap_mean(hits, days)),
        figure(bootstrap_mean(strict, days)),
        figure(recall),
    )


def _rule_row(scored: Sequence[Scored], asset_days: int, came: int) -> tuple[Cell, ...]:
    pushed = [one for one in scored if one.is_pushed]
    if not pushed:
        without = all(one.limit is None for one in scored)
        why = f"no limit met {GOAL} on the days to choose on" if without else "nothing reached the limit"
        return f"by the rule (lower bound {GOAL})", figure(0.0), 0, why, "", figure(0.0)
    return _delivered(f"by the rule (lower bound {GOAL})", pushed, asset_days, came)


def _selective_plot(scored: Sequence[Scored], asset_days: int) -> Plot | None:
    counts = [
        count
        for count in np.unique(np.geomspace(LEAST_ALERTS, max(LEAST_ALERTS, len(scored)), 24).astype(int))
        if count <= len(scored)
    ]
    if not counts or not asset_days:
        return None
    rates = tuple(float(count / asset_days) for count in counts)
    lines = tuple(
        Line(
            name=name,
            x=rates,
            y=tuple(precision(pick(scored, int(count))).value for count in counts),
            dashed=name == "off",
        )
        for name, pick in (("on", most_likely), ("off", _strongest))
    )
    return Plot(title="Selective delivery", x_label="pushes an asset and day", y_label="A2", lines=lines)
