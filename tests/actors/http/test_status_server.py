"""The five pages of contract.md 5, asked for over a real socket."""

import json
import socket
import threading
from contextlib import closing

import msgspec
import pytest
import requests

from actors import paths
from actors.http.status_server import StatusServer
from actors.mailbox import MailboxSpec
from actors.messages.feeds import VenuesAble, WatchVenues
from actors.messages.outcomes import ScoresTold
from actors.messages.supervision import Drill
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Planned, telegram_target
from intelligence.alerts import Stage as AlertStage
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import scores
from supervisors.wording import Node, Report
from tests.doubles import PATIENCE_S, Stage
from tests.intelligence.builders import T0, an_alert
from tests.intelligence.outcomes.test_scores import NOW_MS, spread

ABLE = VenuesAble(able=("binance", "okx"), configured=("binance", "bybit", "okx"))
CHAT = telegram_target(11)


def a_node(path, *children, health="healthy", state="running", **values):
    kind = "supervisor" if children else "actor"
    return Node(path=path, kind=kind, state=state, state_since_s=5.0, health=health, children=children, **values)


def a_report(core=None, **values):
    streams = a_node("/core/symbols/btc", restarts={"total": 3}, mailbox={"urgent": 2, "data": 7, "dropped_total": 4})
    tree = a_node("/", core or a_node(paths.VENUES.rpartition("/")[0], streams))
    told = {"health": "degraded", "why": (), "uptime_s": 60.0, **values}
    totals = {"actors": 3, "running": 2, "rss_mib": 100.0, "restarts": 3, "dead_letters": {"data": 104, "urgent": 1}}
    return Report(as_of="2026-11-23T09:00:00.000Z", pid=1, version="0.1.0", totals=totals, tree=tree, **told)


class Desk:
    def __init__(self, folder):
        self.folder, self.stage = folder, Stage()
        self.server = None

    def open(self, port=0, host="127.0.0.1"):
        args = {"folder": self.folder, "database": self.folder / "foreshock.db", "busy_s": 1.0, "heading": "SIMULATION"}
        self.server = self.stage.start(path=paths.HTTP, actor=StatusServer, host=host, port=port, **args)
        return self

    def ready(self):
        self.stage.ready()
        return self

    def write(self, report):
        (self.folder / "status.json").write_bytes(msgspec.json.encode(report))

    def tell(self, message):
        self.stage.ask(message, path=paths.HTTP)

    def get(self, path, method="GET"):
        address = self.server.vitals.note
        return requests.request(method, address + path, timeout=PATIENCE_S)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    if paths.HTTP in desk.stage.system.ledger:
        desk.stage.stop(paths.HTTP)
        desk.stage.exit()


@pytest.fixture
def told(desk):
    """A server that has been told which venues are able."""
    desk.open().ready()
    desk.tell(ABLE)
    return desk


def test_a_process_that_answers_is_alive_before_its_first_pulse(desk):
    assert (desk.open().ready().get("/healthz").status_code, desk.get("/healthz").text) == (200, "ok\n")


def test_a_pulse_that_stands_still_is_no_health(told, monkeypatch):
    told.write(a_report())
    monkeypatch.setattr("actors.status_file.OLD_S", -1.0)

    answer = told.get("/healthz")
    assert answer.status_code == 503
    assert "the pulse has stood still for" in answer.text


def test_ready_when_core_runs_and_a_venue_is_able(told):
    told.write(a_report())

    answer = told.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "why": []})


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (None, "the tree has not started yet"),
        (a_report(core=a_node("/core", state="booting")), "/core is booting"),
        (a_report(core=a_node("/core", health="unhealthy"), why=("/core/venues parked (x)",)), "/core/venues parked"),
    ],
)
def test_not_ready_says_why(told, report, why):
    if report is not None:
        told.write(report)

    answer = told.get("/readyz")
    assert answer.status_code == 503
    assert any(line.startswith(why) for line in answer.json()["why"])


def test_not_ready_while_no_venue_is_able(told):
    told.write(a_report())
    told.tell(VenuesAble(able=(), configured=("binance",)))

    assert told.get("/readyz").json() == {
        "ready": False,
        "why": ["no venue is able to report liquidations yet (/core/venues)"],
    }


def test_venues_are_asked_for_at_the_start(desk):
    monitor = desk.stage.start(path=paths.VENUES)
    desk.ready().open().ready()

    monitor.journal.wait_for(WatchVenues(path=paths.HTTP))
    desk.stage.stop(paths.VENUES)
    desk.stage.exit()


def test_a_venue_monitor_that_starts_anew_still_knows_who_asked(desk):
    asked = WatchVenues(path=paths.HTTP)
    desk.stage.spec = MailboxSpec(retain_max=8)
    first = desk.stage.start(path=paths.VENUES)
    desk.ready().open().ready()
    first.journal.wait_for(asked)
    desk.stage.tell(Drill(), path=paths.VENUES)
    assert desk.stage.exit().kind == "failed"

    second = desk.stage.start(path=paths.VENUES)
    desk.ready()
    assert ("recover", paths.VENUES, (asked,)) in second.journal.entries
    desk.stage.stop(paths.VENUES)
    desk.stage.exit()


def test_status_is_the_report_as_the_pulse_wrote_it(told):
    told.write(a_report())

    answer = told.get("/status")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == (told.folder / "status.json").read_bytes()


def test_status_before_the_first_pulse_says_so(told):
    assert (told.get("/status").status_code, "no status yet" in told.get("/status").text) == (503, True)


def test_metrics_tell_process_actors_and_venues(told):
    told.write(a_report())

    lines = told.get("/metrics").text.splitlines()
    assert {
        'foreshock_build{version="0.1.0"} 1.0',
        "foreshock_health 1.0",
        "foreshock_resident_memory_bytes 1.048576e+08",
        "foreshock_restarts_total 3.0",
        'foreshock_dead_letters_total{lane="data"} 104.0',
        'foreshock_actor_restarts_total{path="/core/symbols/btc"} 3.0',
        'foreshock_mailbox_letters{lane="data",path="/core/symbols/btc"} 7.0',
        'foreshock_mailbox_dropped_total{path="/core/symbols/btc"} 4.0',
        "foreshock_venues 3.0",
        "foreshock_venues_able 2.0",
    } <= set(lines)


def test_metrics_tell_a2_by_family_with_interval_and_base(told):
    told.tell(ScoresTold(scores=scores(spread(60, 24), NOW_MS, OutcomeRules())))

    figures = dict(line.rsplit(" ", 1) for line in told.get("/metrics").text.splitlines() if "a2" in line)
    labels = '{family="cascade",trial="no"}'
    assert float(figures[f"foreshock_a2_alerts{labels}"]) == 84
    assert float(figures[f"foreshock_a2{labels}"]) == pytest.approx(60 / 84)
    assert float(figures[f"foreshock_a2_low{labels}"]) < 60 / 84 < float(figures[f"foreshock_a2_high{labels}"])
    assert float(figures[f"foreshock_a2_base{labels}"]) == pytest.approx(0.2)
    assert float(figures[f"foreshock_a2_strict{labels}"]) == pytest.approx(34 / 84)


def test_metrics_keep_silent_of_a_family_that_is_not_measurable(told):
    told.tell(ScoresTold(scores=scores(spread(5, 4), NOW_MS, OutcomeRules())))

    text = told.get("/metrics").text
    assert 'foreshock_a2_alerts{family="cascade",trial="no"} 9.0' in text
    assert 'foreshock_a2{family="cascade"' not in text


def stored(folder, *numbers):
    with closing(Outbox(folder / "foreshock.db", busy_s=1)) as outbox:
        for number in numbers:
            planned = (Planned(target=TERMINAL, stage=AlertStage.RAISED), Planned(target=CHAT, stage=AlertStage.RAISED))
            outbox.append(an_alert(alert_id=f"a{number}"), planned, T0)
        for row in outbox.deliveries.waiting(TERMINAL):
            outbox.deliveries.claim(row.id, 1)
            outbox.deliveries.delivered(row.id, 1, now_ms=T0 + 40)


def test_alerts_are_their_records_with_text_and_delivery_of_each_target(told):
    stored(told.folder, 1)

    (record,) = told.get("/alerts").json()
    assert record["alert_id"] == "a1"
    assert record["delivered_ms"] == {TERMINAL: T0 + 40, CHAT: None}
    assert record["text"].startswith("SIMULATION")
    assert record["kind"] == "liquidation"


def test_alerts_since_one_are_those_after_it_in_their_order(told):
    stored(told.folder, 1, 2, 3)

    assert [record["alert_id"] for record in told.get("/alerts?since=a1").json()] == ["a2", "a3"]
    assert told.get("/alerts?since=a3").json() == []


def test_alerts_since_one_that_nobody_knows_is_an_error_that_says_so(told):
    answer = told.get("/alerts?since=nobody")

    assert answer.status_code == 404
    assert "no alert 'nobody' is kept" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/", "/metrics/", "/status/x", "/../etc/passwd", "/%2e%2e/status"])
def test_anything_else_is_not_found(told, path):
    assert told.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods_are_not_allowed(told, method):
    assert told.get("/status", method).status_code == 405


def test_head_is_answered_without_a_body(told):
    answer = told.get("/healthz", "HEAD")

    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "3", b"")


def test_a_page_that_fails_tells_the_reader_and_the_log(told, monkeypatch):
    monkeypatch.setattr("actors.http.pages.metrics", lambda *_: 1 / 0)

    answer = told.get("/metrics")
    assert (answer.status_code, "the log says why" in answer.text) == (500, True)
    assert told.get("/healthz").status_code == 200


def test_a_reader_that_sends_nothing_holds_up_nobody_and_no_stop(told):
    host, port = told.server.vitals.note.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))):
        assert told.get("/healthz").status_code == 200
        told.stage.stop(paths.HTTP)
        assert told.stage.exit().kind == "stopped"


def test_an_address_that_is_taken_is_tried_again_later(desk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        desk.open(port=taken.getsockname()[1])

        notice = desk.stage.exit()
    assert (notice.kind, notice.retry_after_s, notice.park) == ("start_failed", 5.0, "")
    assert "set FORESHOCK_HTTP__PORT to another one" in notice.error


def test_an_address_that_is_not_ours_waits_for_a_person(desk):
    desk.open(host="192.0.2.1")

    assert desk.stage.exit().park.startswith("cannot listen on 192.0.2.1:0")


def test_many_readers_at_once_are_served(told):
    told.write(a_report())
    answers = []
    readers = [threading.Thread(target=lambda: answers.append(told.get("/status").status_code)) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(PATIENCE_S)

    assert answers == [200] * 6
    assert json.loads(told.get("/status").text)["schema"] == 1
