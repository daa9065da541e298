"""Which venues are able to report, and what people hear of it."""

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.feeds import (
    ConflictsSettled,
    ConnectionChanged,
    FeedJudged,
    SocketsPlanned,
    VenuesAble,
    WatchVenues,
)
from actors.venue_monitor import RETAINED_AT_EASE, VenueMonitor
from intelligence.alerts import AlertKind, Stage
from intelligence.feed_health import FeedHealth, FeedKind, Health
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

WATCHER = "/core/feeds/one"


class Desk:
    """A monitor of Binance and Bybit, a watcher, and a dispatcher that records."""

    def __init__(self):
        self.stage = Theatre(ManualClock())
        self.clock = self.stage.clock
        self.seen = self.stage.record(WATCHER)
        self.raised = self.stage.record(paths.DISPATCHER)
        self.stage.system.place(paths.VENUES, MailboxSpec(retain_max=1_000))
        self.stage.start(
            paths.VENUES,
            VenueMonitor,
            configured=("binance", "bybit"),
            watched=("gate",),
            once_settled=frozenset({"gate"}),
            lost_after_s=60.0,
        )

    def tell(self, message):
        self.stage.system.address(paths.VENUES).tell(message, redeliver=True, retain=True)
        return self

    def plan(self, venue, *connections, others=()):
        return self.tell(SocketsPlanned(venue=venue, connections=connections, others=others))

    def settle_conflict(self, venue, *verdicts):
        return self.tell(ConflictsSettled(venue=venue, settled=tuple(("a_conflict", one) for one in verdicts)))

    def note(self):
        self.settle()
        return self.stage.system.place(paths.VENUES).vitals.note

    def state(self, connection, state, **words):
        venue = connection.partition("-")[0]
        return self.tell(
            ConnectionChanged(venue=venue, connection=connection, state=state, brings_liquidations=True, **words)
        )

    def settle(self):
        """Wait until the monitor and then the recorders have handled everything."""
        for path in (paths.VENUES, WATCHER, paths.DISPATCHER):
            self.stage.ask(path, WatchVenues(path="/nowhere"))

    def pass_s(self, seconds):
        self.settle()
        self.clock.advance(seconds)
        self.settle()

    def able(self):
        self.settle()
        return [one.able for one in self.seen if isinstance(one, VenuesAble)]

    def alerts(self):
        self.settle()
        return [one.alert for one in self.raised if not isinstance(one, WatchVenues)]


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.stage.close()


def both_up(desk):
    desk.tell(WatchVenues(path=WATCHER))
    desk.plan("binance", "binance-market").plan("bybit", "bybit-1", "bybit-2")
    desk.plan("gate", "gate-public").state("gate-public", "up")
    return desk.state("binance-market", "up").state("bybit-1", "up").state("bybit-2", "up")


def test_a_watcher_hears_at_once_and_at_every_change(desk):
    both_up(desk)
    desk.state("bybit-2", "down", reason="reset")

    assert desk.able() == [(), ("binance",), ("binance", "bybit"), ("binance",)]


def test_a_venue_is_able_when_all_its_planned_connections_are_up(desk):
    desk.tell(WatchVenues(path=WATCHER)).state("bybit-1", "up").state("bybit-3", "down")
    assert desk.able() == [()]

    desk.plan("bybit", "bybit-1", "bybit-2")
    assert desk.able() == [()]
    desk.state("bybit-2", "up")

    assert desk.able()[-1] == ("bybit",)


def test_a_loss_is_told_once_after_its_time_and_so_is_the_return(desk):
    both_up(desk).state("binance-market", "down", reason="no byte for 30 s", advice="Look at the network.")
    desk.pass_s(59)
    assert desk.alerts() == []

    desk.pass_s(2)
    desk.state("binance-market", "connecting").state("binance-market", "down", reason="cannot connect")
    desk.pass_s(300)
    desk.state("binance-market", "up")

    lost, back = desk.alerts()
    assert (lost.kind, lost.stage, back.stage) == (AlertKind.FEED_HEALTH, Stage.RAISED, Stage.ENDED)
    assert lost.text == "Binance cannot report liquidations: no byte for 30 s\nLook at the network."
    assert back.text == "Binance reports liquidations again, after 5 min"
    assert (lost.alert_id, lost.venues_able, back.venues_able) == (back.alert_id, ("bybit",), ("binance", "bybit"))


def test_a_short_loss_is_logged_and_not_told(desk):
    with capture_logs() as logs:
        both_up(desk).state("binance-market", "down", reason="reset")
        desk.pass_s(30)
        desk.state("binance-market", "up")
        desk.pass_s(600)

    assert desk.alerts() == []
    assert [(one["event"], one["venue"]) for one in logs if one["event"].startswith("venue_")] == [
        ("venue_able", "gate"),
        ("venue_able", "binance"),
        ("venue_able", "bybit"),
        ("venue_lost", "binance"),
        ("venue_able", "binance"),
    ]


def test_a_refusal_is_told_at_once_with_advice_and_only_once(desk):
    desk.plan("binance", "binance-market")
    desk.state("binance-market", "refused", reason="geo_blocked", advice="Switch the venue off.")
    desk.state("binance-catalogue", "refused", reason="geo_blocked")
    desk.pass_s(600)

    told = [alert.text for alert in desk.alerts() if alert.venue == "binance"]
    assert told == ["Binance cannot report liquidations: geo blocked\nSwitch the venue off."]


def test_a_venue_that_never_came_up_is_told(desk):
    desk.pass_s(61)

    assert [alert.text for alert in desk.alerts()] == [
        "Binance cannot report liquidations: no connection yet",
        "Bybit cannot report liquidations: no connection yet",
        "Gate brings no prices and open interest: no connection yet",
    ]


def test_the_reason_of_an_old_loss_is_not_given_for_a_new_one(desk):
    both_up(desk).state("binance-market", "down", reason="reset").state("binance-market", "up")
    desk.plan("binance", "binance-market", "binance-more")
    desk.pass_s(61)

    assert "reset" not in desk.alerts()[-1].text


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit"])
def test_a_successor_knows_the_states_and_the_watchers_and_tells_nothing_new(desk, error):
    both_up(desk)
    known = len(desk.able())

    desk.stage.crash(paths.VENUES, error)
    desk.pass_s(600)
    assert desk.able()[known:] == [("binance", "bybit")]
    assert desk.alerts() == []
    desk.state("bybit-1", "down")

    assert desk.able()[-1] == ("binance",)


def test_a_loss_that_was_told_before_a_crash_is_not_told_again_and_its_end_is(desk):
    both_up(desk).state("binance-market", "down", reason="reset")
    desk.pass_s(61)

    desk.stage.crash(paths.VENUES)
    desk.pass_s(600)
    desk.state("binance-market", "up")

    lost, back = desk.alerts()
    assert (lost.alert_id, back.stage) == (back.alert_id, Stage.ENDED)


def test_a_return_that_was_told_before_a_crash_is_over(desk):
    both_up(desk).state("binance-market", "down", reason="reset")
    desk.pass_s(61)
    desk.state("binance-market", "up")
    told = len(desk.alerts())

    desk.stage.crash(paths.VENUES)
    desk.pass_s(600)

    assert len(desk.alerts()) == told


def test_a_loss_that_nobody_was_told_of_yet_is_told_by_the_successor(desk):
    both_up(desk).state("binance-market", "down", reason="reset")
    desk.pass_s(30)

    desk.stage.crash(paths.VENUES)
    desk.pass_s(61)

    assert [alert.text for alert in desk.alerts()] == ["Binance cannot report liquidations: reset"]


def test_what_is_retained_does_not_grow_and_loses_nothing_that_stands(desk):
    both_up(desk)
    for number in range(2 * RETAINED_AT_EASE):
        desk.state("bybit-2", "down" if number % 2 else "up", reason="flapping")
    desk.state("bybit-2", "up")
    desk.settle()

    assert len(desk.stage.system.place(paths.VENUES).mailbox.retained) <= RETAINED_AT_EASE + 1
    known = len(desk.able())
    desk.stage.crash(paths.VENUES)
    assert wait_for(lambda: desk.able()[known:], "the successor's word") == [("binance", "bybit")]


def test_a_venue_that_is_only_watched_is_never_able_and_its_loss_and_return_are_told_once(desk):
    both_up(desk).state("gate-public", "down", reason="reset")
    desk.pass_s(61)
    desk.pass_s(600)
    desk.state("gate-public", "up")

    assert desk.able()[-1] == ("binance", "bybit")
    assert [alert.text for alert in desk.alerts()] == [
        "Gate brings no prices and open interest: reset",
        "Gate brings prices and open interest again, after 10 min",
    ]


def test_a_venue_that_brings_only_a_part_of_its_prices_is_told(desk):
    both_up(desk).plan("gate", "gate-public", others=("gate-trades",))
    desk.state("gate-trades", "down", reason="reset")
    desk.pass_s(61)

    assert [one.text for one in desk.alerts()] == ["Gate brings only a part of its prices and open interest: reset"]


def judged(desk, connection, state, why="", *mute):
    venue = connection.partition("-")[0]
    return desk.tell(FeedJudged(venue=venue, connection=connection, health=FeedHealth(state, why), mute=mute))


def test_a_venue_whose_liquidations_stay_away_is_not_able_and_told_like_one_that_is_lost(desk):
    both_up(desk)
    judged(desk, "binance-market", Health.STALE, "no liquidation of BTC since 08:11:02 UTC", FeedKind.LIQUIDATIONS)
    desk.pass_s(61)
    assert desk.able()[-1] == ("bybit",)
    desk.pass_s(60)
    judged(desk, "binance-market", Health.HEALTHY)

    assert desk.able()[-1] == ("binance", "bybit")
    assert [alert.text for alert in desk.alerts()] == [
        "Binance cannot report liquidations: no liquidation of BTC since 08:11:02 UTC",
        "Binance reports liquidations again, after 1 min",
    ]


def test_silent_trades_leave_a_venue_able_and_stand_in_the_note(desk):
    both_up(desk)
    judged(desk, "bybit-2", Health.STALE, "no trade since 08:11:02 UTC", FeedKind.TRADES)
    desk.pass_s(10)

    assert desk.able()[-1] == ("binance", "bybit")
    assert desk.note() == "2 of 2 venues able to report, bybit stale (bybit-2)"


def test_a_clock_that_jumped_degrades_its_venue(desk):
    both_up(desk)
    judged(desk, "bybit-2", Health.DEGRADED, "times of trades jumped")
    desk.pass_s(10)

    assert desk.note() == "2 of 2 venues able to report, bybit degraded (bybit-2)"


def test_a_verdict_that_nobody_repeats_counts_no_more(desk):
    both_up(desk)
    judged(desk, "binance-market", Health.STALE, "no liquidation since 08:11:02 UTC", FeedKind.LIQUIDATIONS)
    desk.pass_s(149)
    assert desk.able()[-1] == ("bybit",)
    desk.pass_s(10)

    assert desk.able()[-1] == ("binance", "bybit")


def test_the_note_names_every_venue_that_is_not_healthy(desk):
    both_up(desk).plan("bybit", "bybit-1", "bybit-2", others=("bybit-3",))
    desk.state("gate-public", "down")
    desk.pass_s(10)
    assert desk.note() == "2 of 2 venues able to report, bybit degraded (bybit-3), gate down"

    desk.state("bybit-3", "up").state("gate-public", "up").state("bybit-1", "down")
    desk.pass_s(10)

    assert desk.note() == "1 of 2 venues able to report, bybit degraded (bybit-1)"


def test_a_connection_that_says_nothing_any_more_makes_its_venue_stale(desk):
    both_up(desk).plan("gate", "gate-public").state("gate-public", "up")
    desk.pass_s(140)
    desk.state("binance-market", "up").state("gate-public", "up")
    desk.pass_s(20)

    assert desk.note() == "2 of 2 venues able to report, bybit stale (bybit-1, bybit-2)"


def test_a_daemon_that_sees_no_venue_is_degraded_at_once_and_unhealthy_after_half_a_minute(desk):
    def verdict():
        desk.settle()
        return desk.stage.system.place(paths.VENUES).vitals.own_verdict[0]

    at_first = verdict()
    desk.pass_s(31)
    blind = verdict()
    both_up(desk)
    sees = verdict()
    desk.state("bybit-1", "down", reason="reset")

    assert (at_first, blind, sees, verdict()) == ("degraded", "unhealthy", "healthy", "degraded")


def gate_up(desk):
    return both_up(desk).plan("gate", "gate-public").state("gate-public", "up")


def configured(desk):
    desk.settle()
    return [one.configured for one in desk.seen if isinstance(one, VenuesAble)][-1]


def test_a_venue_in_doubt_joins_once_it_is_settled_and_leaves_when_that_is_withdrawn(desk):
    gate_up(desk).settle_conflict("gate")
    assert (desk.able()[-1], configured(desk)) == (("binance", "bybit"), ("binance", "bybit"))

    desk.settle_conflict("gate", "order")
    assert (desk.able()[-1], configured(desk)) == (("binance", "bybit", "gate"), ("binance", "bybit", "gate"))

    desk.settle_conflict("gate")
    assert (desk.able()[-1], configured(desk)) == (("binance", "bybit"), ("binance", "bybit"))
    desk.pass_s(600)
    assert desk.alerts() == []


def test_a_settled_venue_that_cannot_report_is_told_like_any_other(desk):
    gate_up(desk).settle_conflict("gate", "order").state("gate-public", "down", reason="reset")
    desk.pass_s(61)

    assert [alert.text for alert in desk.alerts()] == ["Gate cannot report liquidations: reset"]


def test_a_loss_that_was_told_is_over_when_the_venue_does_not_count_any_more(desk):
    gate_up(desk).settle_conflict("gate", "order").state("gate-public", "down", reason="reset")
    desk.pass_s(61)

    desk.settle_conflict("gate")

    lost, over = desk.alerts()
    assert (over.alert_id, over.stage) == (lost.alert_id, Stage.ENDED)
    assert over.text == "Gate does not count any more: how to read it is in doubt again"


def test_a_verdict_about_anything_else_changes_nothing(desk):
    gate_up(desk).settle_conflict("bybit", "both").settle_conflict("bybit")

    assert configured(desk) == ("binance", "bybit")


def test_a_successor_knows_who_has_joined(desk):
    gate_up(desk).settle_conflict("gate", "order")
    known = len(desk.able())

    desk.stage.crash(paths.VENUES)

    assert wait_for(lambda: desk.able()[known:], "the successor's word") == [("binance", "bybit", "gate")]
    assert desk.alerts() == []
