"""/zones, answered by a real zone watch."""

import json

from actors import paths
from actors.messages.market import MinuteClosed
from actors.zone_watch import ZoneWatch
from intelligence.zones.rules import CutRule, ZoneRules
from tests.intelligence.zones.builders import a_zone_minute
from tests.telegram_stand.stage import wait_for

RULES = ZoneRules(cut=CutRule(reach_least=0.25))


def watched(bot, minutes):
    """A bot beside the zone watch of SOL that has been told so many minutes."""
    bot.dispatcher().stream("SOL")
    bot.theatre.record(paths.ZONES)
    path = paths.zones_path("SOL")
    bot.theatre.start(path, ZoneWatch, child_id="sol", rules=RULES, venues=())
    for index in range(minutes):
        bot.theatre.tell(path, MinuteClosed(minute=a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index))))
    bot.theatre.quiet(path)
    return bot.open()


def test_zones_are_told_with_their_record(bot):
    answer = watched(bot, 60).stand.answers("/zones sol")

    assert answer.startswith("<b>SOL predicted liquidation zones</b>")
    assert "No prediction has been judged yet" in answer


def test_before_anything_is_predicted_it_says_so(bot):
    assert "Nothing is predicted of SOL yet" in watched(bot, 0).stand.answers("/zones SOL")


def test_an_asset_that_is_not_watched_is_named(bot):
    assert watched(bot, 1).stand.answers("/zones SLO") == "SLO is not watched. Is it SOL?"


def test_where_zones_are_switched_off_it_says_how_to_switch_them_on(bot):
    bot.dispatcher().open()

    assert "ENABLE_PREDICTIVE_ZONES=true" in bot.stand.answers("/zones BTC")


def test_the_picture_of_zones_is_a_button_away(bot):
    bot = watched(bot, 60).charts()
    bot.stand.answers("/zones SOL")
    keyboard = json.loads(bot.stand.calls()[-1].fields["reply_markup"])["inline_keyboard"]
    (chart,) = (one["callback_data"] for row in keyboard for one in row if one["text"] == "Chart")

    bot.stand.press(chart)
    (photo,) = wait_for(lambda: bot.stand.calls("sendPhoto"), "a photo", 20)
    assert photo.fields["caption"].startswith("<b>SOL predicted zones, 4 h</b>")


def test_a_picture_of_zones_that_nobody_predicts_is_said_to_be_none(bot):
    bot.dispatcher().stream("SOL").open().charts()

    assert "nothing is predicted of SOL now" in bot.stand.answers("/chart zones SOL")
