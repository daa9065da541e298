"""The figures for Prometheus: the status report, the venues that can report, and how the families of alerts have done."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from actors.messages.feeds import VenuesAble
from actors.status_file import Node, Report, walk
from intelligence.outcomes.scores import FamilyScore, Scores

_HEALTH = {"healthy": 0, "off": 0, "degraded": 1, "unhealthy": 2}
_TOTALS = (
    ("actors", "actors", "Actors and supervisors in the tree"),
    ("running", "actors_running", "Those of them that run"),
    ("threads", "threads", "Threads of the process"),
    ("leaked", "threads_leaked", "Threads that did not end in time"),
    ("outbox_open", "outbox_waiting", "Deliveries that wait"),
    ("outbox_oldest_s", "outbox_oldest_seconds", "How long the oldest delivery has waited"),
)
_COUNTS = (
    ("restarts", "restarts", "Restarts of actors"),
    ("log_dropped", "log_lines_dropped", "Log lines that were dropped"),
    ("cpu_s", "cpu_seconds", "Processor time"),
)


class _Once(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def metrics(report: Report | None, age_s: float | None, venues: VenuesAble | None, scores: Scores | None) -> bytes:
    """Prometheus text. `age_s`: of the report, the other figures are as old."""
    registry = CollectorRegistry(auto_describe=False)
    families: list[Metric] = []
    if report is not None:
        families += _process(report, age_s or 0.0)
        families += _actors(report)
    if venues is not None:
        families.append(_gauge("venues", "Venues that count for liquidations", len(venues.configured)))
        families.append(_gauge("venues_able", "Those of them that are able to report", len(venues.able)))
    if scores is not None:
        families += _families(scores)
    registry.register(_Once(families))
    return generate_latest(registry)


def _process(report: Report, age_s: float) -> Iterator[Metric]:
    totals: dict[str, Any] = report.totals
    build = GaugeMetricFamily("foreshock_build", "The version that runs", labels=["version"])
    build.add_metric([report.version], 1)
    yield build
    yield _gauge("health", "0 healthy, 1 degraded, 2 unhealthy", _HEALTH.get(report.health, 2))
    yield _gauge("uptime_seconds", "Since the start of the process", report.uptime_s)
    yield _gauge("status_age_seconds", "Since the figures of the tree were taken", age_s)
    yield _gauge("resident_memory_bytes", "Memory of the daemon's own process", totals.get("rss_mib", 0) * 2**20)
    for key, name, text in _TOTALS:
        if key in totals:
            yield _gauge(name, text, totals[key])
    for key, name, text in _COUNTS:
        if key in totals:
            yield CounterMetricFamily(f"foreshock_{name}", text, value=totals[key])
    dead = CounterMetricFamily("foreshock_dead_letters", "Letters that reached nobody", labels=["lane"])
    for lane, count in totals.get("dead_letters", {}).items():
        dead.add_metric([lane], count)
    yield dead


def _actors(report: Report) -> Iterator[Metric]:
    health = GaugeMetricFamily("foreshock_actor_health", "0 healthy, 1 degraded, 2 unhealthy", labels=["path"])
    restarts = CounterMetricFamily("foreshock_actor_restarts", "Restarts of one actor", labels=["path"])
    cpu = CounterMetricFamily("foreshock_actor_cpu_seconds", "Processor time of one actor", labels=["path"])
    waiting = GaugeMetricFamily("foreshock_mailbox_letters", "Letters that wait", labels=["path", "lane"])
    dropped = CounterMetricFamily("foreshock_mailbox_dropped", "Letters a full mailbox has dropped", labels=["path"])
    for node in walk(report.tree):
        health.add_metric([node.path], _HEALTH.get(node.health, 2))
        if node.kind == "actor":
            _add(node, restarts, cpu, waiting, dropped)
    return iter((health, restarts, cpu, waiting, dropped))


def _add(
    node: Node,
    restarts: CounterMetricFamily,
    cpu: CounterMetricFamily,
    waiting: GaugeMetricFamily,
    dropped: CounterMetricFamily,
) -> None:
    restarts.add_metric([node.path], node.restarts.get("total", 0))
    cpu.add_metric([node.path], node.cpu_s)
    for lane in ("control", "urgent", "data"):
        if lane in node.mailbox:
            waiting.add_metric([node.path, lane], node.mailbox[lane])
    if "dropped_total" in node.mailbox:
        dropped.add_metric([node.path], node.mailbox["dropped_total"])


def _families(scores: Scores) -> Iterator[Metric]:
    """Of every family with alerts; where fewer than the least have an outcome only their numbers."""
    days = f"of {scores.days} days"
    labels = ["family", "trial"]
    gauges = {
        name: GaugeMetricFamily(f"foreshock_{name}", text, labels=labels)
        for name, text in (
            ("a2_alerts", f"Alerts {days} with an outcome (detection.md 11)"),
            ("a2", f"Share of consequential alerts {days}"),
            ("a2_low", "Lower end of its 95 % interval"),
            ("a2_high", "Upper end of its 95 % interval"),
            ("a2_base", "The same of control times"),
            ("a2_strict", "The same against hours as wild as the one before"),
            ("alerts_per_day", f"Alerts a day {days}"),
        )
    }
    for one in scores.families:
        for name, value in _figures(one).items():
            gauges[name].add_metric([one.kind, "yes" if one.shadow else "no"], value)
    return iter(gauges.values())


def _figures(one: FamilyScore) -> dict[str, float]:
    figures: dict[str, float] = {"a2_alerts": one.share.of, "alerts_per_day": one.per_day}
    if one.measurable:
        low, high = one.share.interval
        figures |= {"a2": one.share.value, "a2_low": low, "a2_high": high}
        if one.base is not None:
            figures["a2_base"] = one.base
        if one.strict.of >= one.least:
            figures["a2_strict"] = one.strict.value
    return figures


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"foreshock_{name}", text, value=value)
