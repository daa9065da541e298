"""The shape of our tree under the settings that change it."""

from pathlib import Path

import pytest

from actors.exchanges.exchange import Instrument
from actors.exchanges.registry import EXCHANGES
from config.loading import load_settings
from supervisors.spec import problems, walk
from supervisors.tree import our_tree
from supervisors.trees.core import REPORTING
from supervisors.trees.presentation import Presentation

TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"


def tree(**environ):
    return our_tree(load_settings(environ=environ, env_file=Path("no.env")).settings, Presentation())


def paths_of(spec):
    return {path for path, _ in walk(spec)}


@pytest.mark.parametrize(
    "environ",
    [{}, {"FORESHOCK_ASSETS": "auto:50", "TELEGRAM_BOT_TOKEN": TOKEN, "FORESHOCK_RECORDING__ENABLED": "true"}],
    ids=["least", "most"],
)
def test_every_tree_can_be_started_and_stops_in_time(environ):
    assert problems(tree(**environ)) == ()


def test_every_enabled_venue_has_its_catalogue_and_its_poller():
    paths = paths_of(tree(FORESHOCK_VENUES__OKX__ENABLED="false"))

    assert {"/core/polls/catalogues/bybit", "/core/polls/oi/bybit"} <= paths
    assert not {path for path in paths if path.endswith("okx")}


def test_every_venue_is_watched_by_default():
    assert {f"/core/polls/catalogues/{venue}" for venue in EXCHANGES} <= paths_of(tree())


def test_whatever_is_able_to_report_has_a_feed_of_liquidations():
    for venue in REPORTING:
        listed = (Instrument(venue=venue, instrument="BTC-USDT", asset="BTC"),)
        assert any(plan.brings_liquidations for plan in EXCHANGES[venue].sockets(listed, frozenset({"BTC"})))


def test_contracts_are_judged_by_their_prices_whoever_names_the_assets():
    assert "/core/polls/universe" in paths_of(tree(FORESHOCK_ASSETS="auto:50"))
    assert "/core/polls/universe" in paths_of(tree())
