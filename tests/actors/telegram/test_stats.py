"""/stats, answered by a real outcome ledger."""

from contextlib import closing

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.outcome_book import OutcomeBook
from actors.outcome_ledger import OutcomeLedger
from intelligence.alerts import AlertKind
from intelligence.outcomes.rules import OutcomeRules
from tests.intelligence.builders import an_alert
from tests.intelligence.outcomes.builders import MINUTE_MS
from tests.intelligence.outcomes.test_scores import spread
from tests.telegram_stand.stand import ME

HOUR = 60


def ledger(bot, found):
    """A ledger that finds these outcomes of the last days."""
    with closing(OutcomeBook(bot.folder / "outcomes.db", 1.0)) as book:
        for one in found:
            book.put_told(one.told)
            book.put_outcome(one.outcome)
            book.end(one.told.alert_id)
    args = {"file": bot.folder / "outcomes.db", "busy_s": 1.0, "rules": OutcomeRules(), "fresh": False}
    bot.theatre.start(paths.OUTCOMES, OutcomeLedger, **args)


def recent(bot, hits, misses, **told):
    now = bot.theatre.clock.now_ms() // MINUTE_MS - 2 * HOUR
    return spread(hits, misses, last=now, **told)


def test_stats_tells_a2_with_interval_base_and_number(bot):
    bot.dispatcher()
    ledger(bot, recent(bot, 60, 24))

    answer = bot.open().stand.answers("/stats")
    assert "cascade 71 [61-80]     40  20% 84" in answer
    assert "prices kept: none yet" in answer


def test_stats_tells_where_price_went_after_costs(bot):
    bot.dispatcher()
    ledger(bot, recent(bot, 60, 24, direction=-1))

    answer = bot.open().stand.answers("/stats")
    assert "Where price went, less 25 bps" in answer
    assert "cascade  -  - +76   - 100 [96-100]" in answer


def test_a_vote_by_button_is_in_stats(bot):
    bot.dispatcher()
    found = recent(bot, 60, 24)
    ledger(bot, found)
    first = found[0].told
    alert = an_alert(alert_id=first.alert_id, kind=first.kind, asset=first.asset)
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
    bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))
    bot.open().stand.presses(f"vote {alert.alert_id} up", message_id=7)

    assert "cascade: useful 1 of 1 with a vote, of 84 told" in bot.stand.answers("/stats")


def test_stats_says_what_is_not_measurable_yet(bot):
    bot.dispatcher()
    ledger(bot, recent(bot, 5, 3))

    answer = bot.open().stand.answers("/stats")
    assert "cascade: not measurable yet, 8 of 8 alerts have an outcome with control times, 20 are needed" in answer


def test_stats_shows_rules_on_trial_apart(bot):
    bot.dispatcher()
    ledger(bot, recent(bot, 5, 25, shadow=True))

    answer = bot.open().stand.answers("/stats")
    assert "Nothing was told in that time." in answer
    assert "On trial, not sent" in answer
    assert "17 [" in answer


def test_without_a_ledger_stats_says_that_nobody_measures(bot):
    assert "Nobody measures" in bot.dispatcher().open().stand.answers("/stats")


def test_a_ledger_that_is_down_is_said(bot):
    bot.dispatcher()
    ledger(bot, [])
    bot.theatre.stop(paths.OUTCOMES)
    bot.theatre.system.place(paths.OUTCOMES).mailbox.refuse_asks("down")

    assert "is not known now" in bot.open().stand.answers("/stats")


def on_trial(bot):
    bot.dispatcher(trials=(AlertKind.CASCADE,))
    return bot


def test_the_owner_promotes_a_family_that_was_long_enough_on_trial(bot):
    on_trial(bot)
    ledger(bot, recent(bot, 40, 80, every=240, shadow=True))
    bot.open()

    assert bot.stand.answers("/promote") == "On trial: cascade. /stats shows how they do."
    assert bot.stand.answers("/promote cascade").startswith("On trial: nothing. Promoted: cascade.")
    assert bot.stand.answers("/promote cascade off").startswith("On trial: cascade.")


def test_a_short_trial_is_ended_only_on_purpose(bot):
    on_trial(bot).open()

    assert "Only 0 alerts of it are scored on trial, 100 should be." in bot.stand.answers("/promote cascade")
    assert bot.stand.answers("/promote cascade anyway").startswith("On trial: nothing. Promoted: cascade.")


def test_a_hundred_alerts_of_a_few_days_are_no_trial_yet(bot):
    on_trial(bot)
    ledger(bot, recent(bot, 40, 80, every=60, shadow=True))
    bot.open()

    assert "It is on trial for 5 days, 14 should be." in bot.stand.answers("/promote cascade")


def test_what_is_not_on_trial_is_not_promoted(bot):
    assert "volume_spike is not on trial" in on_trial(bot).open().stand.answers("/promote volume")
