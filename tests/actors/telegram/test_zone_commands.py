"""/zones, answered by a real zone watch."""

from actors import paths
from actors.messages.market import MinuteClosed
from actors.zone_watch import ZoneWatch
from intelligence.zones.rules import CutRule, ZoneRules
from tests.intelligence.zones.builders import a_zone_minute

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
