"""The ranking of assets over real HTTP, with recorders where catalogues and pollers stand."""

import json

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.exchanges.exchange import Instrument
from actors.mailbox import MailboxSpec
from actors.messages.checkpoints import CheckpointRestored, CheckpointTaken
from actors.messages.feeds import AssetsWatched, InstrumentsListed, InstrumentsWanted
from actors.messages.market import RetireIfIdle
from actors.rest import RestLimits
from actors.universe import Universe
from intelligence.assets import unit_of
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage, wait_for

LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=1_000_000)
BINANCE, BYBIT = "/fapi/v1/ticker/24hr", "/v5/market/tickers"
DAY_S = 86_400


def binance(**millions):
    """Turnover of the bases by name, all at a price of 100."""
    rows = [
        {"symbol": f"{base}USDT", "lastPrice": "100", "quoteVolume": str(usd * 1e6)} for base, usd in millions.items()
    ]
    return Reply(json.dumps(rows).encode())


def bybit(price="100", **millions):
    rows = [
        {"symbol": f"{base}USDT", "lastPrice": price, "turnover24h": str(usd * 1e6), "openInterest": "1"}
        for base, usd in millions.items()
    ]
    return Reply(json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": rows}}).encode())


class Desk:
    def __init__(self):
        self.stand = FeedStand()
        self.stage = Stage(ManualClock())
        self.clock = self.stage.clock
        self.catalogues = {venue: self.stage.record(f"{paths.CATALOGUES}/{venue}") for venue in ("binance", "bybit")}
        self.checkpoints = self.stage.record(paths.CHECKPOINTS)
        self.poller = self.stage.record(f"{paths.OPEN_INTEREST}/bybit")
        self.stage.system.place(paths.UNIVERSE, MailboxSpec(retain_max=2))
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def open(self, size=3, always=("BTC",)):
        self.stage.start(
            paths.UNIVERSE,
            Universe,
            size=size,
            always=always,
            venues=dict.fromkeys(("binance", "bybit"), self.stand.rest_url),
            limits=LIMITS,
            backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0, jitter=0.0),
            rerank_s=float(DAY_S),
            check_s=3600.0,
            settle_s=3.0,
            idle_s=600.0,
        )
        return self

    def serve(self, *, binance=None, bybit=None):
        for path, reply in ((BINANCE, binance), (BYBIT, bybit)):
            if reply is not None:
                self.stand.pages[path] = [reply]
        return self

    def list(self, venue, *bases):
        units = {base: unit_of(base) for base in bases}
        listed = tuple(
            Instrument(venue=venue, instrument=f"{base}USDT", asset=unit.asset, multiplier=unit.multiplier)
            for base, unit in units.items()
        )
        self.stage.tell(paths.UNIVERSE, InstrumentsListed(venue=venue, instruments=listed))
        return self

    def ranked(self, times):
        """Let the lists settle, and wait until so many rankings have been made."""
        self.pass_s(3.1)
        wait_for(lambda: self.count("universe_ranked") >= times, f"{times} rankings")
        self.stage.quiet(paths.UNIVERSE)

    def pass_s(self, seconds):
        """Move the clock, and then let the calls that follow one another be made."""
        self.stage.quiet(paths.UNIVERSE)
        self.clock.advance(seconds)
        for _ in range(6):
            self.stage.quiet(paths.UNIVERSE)
            self.clock.advance(0)
        self.stage.quiet(paths.UNIVERSE)

    def count(self, event):
        return sum(one["event"] == event for one in tuple(self.logs))

    def of(self, event):
        return [one for one in tuple(self.logs) if one["event"] == event]

    def told(self, box=None):
        letters = self.catalogues["binance"] if box is None else box
        for path in (*(f"{paths.CATALOGUES}/{venue}" for venue in self.catalogues), f"{paths.OPEN_INTEREST}/bybit"):
            self.stage.quiet(path)
        return [set(one.assets) for one in letters if isinstance(one, AssetsWatched)]

    def close(self):
        try:
            self.stage.close()
        finally:
            self._capture.__exit__(None, None, None)
            self.stand.stop()


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.close()


def both(desk, **options):
    """Two venues that agree: BTC is small, then XRP (70), DOGE (60), PEPE (40)."""
    desk.serve(binance=binance(BTC=1, XRP=30, DOGE=50, PEPE=40), bybit=bybit(BTC=1, XRP=40, DOGE=10))
    desk.open(**options)
    return desk.list("binance", "BTC", "XRP", "DOGE", "PEPE").list("bybit", "BTC", "XRP", "DOGE")


def test_the_largest_turnover_over_all_venues_is_chosen_beside_those_that_always_are(desk):
    both(desk).ranked(1)

    assert desk.told() == [{"BTC", "XRP", "DOGE"}]
    assert desk.told(desk.poller) == desk.told(desk.catalogues["bybit"]) == desk.told()
    assert [(one["asset"], one["rank"], one["turnover_usd"]) for one in desk.of("asset_joined")] == [
        ("XRP", 1, 70_000_000),
        ("DOGE", 2, 60_000_000),
        ("BTC", 3, 2_000_000),
    ]


def test_lists_that_come_together_make_one_ranking(desk):
    both(desk).ranked(1)

    assert len(desk.stand.requests) == 2
    assert desk.count("universe_ranked") == 1


def test_the_next_day_ranks_anew_and_says_who_joined_and_left(desk):
    both(desk).ranked(1)
    desk.serve(binance=binance(BTC=1, XRP=30, DOGE=1, PEPE=90))

    desk.pass_s(DAY_S - 10)
    assert desk.count("universe_ranked") == 1
    desk.pass_s(10)

    assert desk.told()[-1] == {"BTC", "XRP", "PEPE"}
    assert desk.of("asset_joined")[-1]["asset"] == "PEPE"
    assert [(one["asset"], one["reason"]) for one in desk.of("asset_left")] == [("DOGE", "rank")]


def test_a_new_listing_joins_and_a_delisted_one_leaves_without_waiting_for_the_day(desk):
    both(desk).ranked(1)
    desk.serve(binance=binance(BTC=1, XRP=30, DOGE=50, NEW=500))

    desk.list("binance", "BTC", "DOGE", "NEW").list("bybit", "BTC", "DOGE")
    desk.ranked(2)

    assert desk.told()[-1] == {"BTC", "DOGE", "NEW"}
    assert [(one["asset"], one["reason"]) for one in desk.of("asset_left")] == [("XRP", "delisted")]


def test_a_list_that_names_the_same_assets_ranks_nothing(desk):
    both(desk).ranked(1)

    desk.list("bybit", "DOGE", "XRP", "BTC")
    desk.pass_s(60)

    assert len(desk.stand.requests) == 2


def test_a_venue_that_does_not_answer_counts_as_soon_as_it_does(desk):
    both(desk).serve(bybit=Reply(b"", 503))
    desk.ranked(1)
    assert desk.told() == [{"BTC", "DOGE", "PEPE"}]
    assert desk.of("turnover_failed")[0]["venue"] == "bybit"

    desk.serve(bybit=bybit(BTC=1, XRP=40, DOGE=10))
    desk.pass_s(1.1)

    assert desk.told()[-1] == {"BTC", "XRP", "DOGE"}
    assert [one.partition("?")[0] for one in desk.stand.requests] == [BINANCE, BYBIT, BYBIT]


def test_without_any_answer_nothing_is_changed(desk):
    both(desk).serve(binance=Reply(b"", 503), bybit=Reply(b"{}", 429))
    desk.pass_s(3.1)
    desk.pass_s(1.1)

    assert desk.count("turnover_failed") == 4
    assert desk.told() == []


def test_a_contract_whose_price_is_of_another_coin_does_not_count(desk):
    desk.serve(binance=binance(BTC=1, XRP=30, WEN=9), bybit=bybit(BTC=1, XRP=1, DOGE=5))
    desk.open(size=2)
    desk.list("binance", "BTC", "XRP", "1000WEN").list("bybit", "BTC", "XRP", "DOGE")
    desk.serve(binance=binance(BTC=1, XRP=30, **{"1000WEN": 900}))

    desk.ranked(1)

    assert desk.told() == [{"BTC", "XRP"}]


def test_a_successor_asks_for_the_lists_and_tells_only_what_changed(desk):
    both(desk).ranked(1)
    joined = desk.count("asset_joined")

    desk.stage.crash(paths.UNIVERSE)
    wait_for(lambda: sum(isinstance(one, InstrumentsWanted) for one in desk.catalogues["bybit"]) == 2, "the question")
    desk.list("binance", "BTC", "XRP", "DOGE", "PEPE").list("bybit", "BTC", "XRP", "DOGE")
    desk.ranked(2)

    assert desk.told()[-1] == {"BTC", "XRP", "DOGE"}
    assert (desk.count("asset_joined"), desk.count("asset_left")) == (joined, 0)


# -- contracts that are not what they are called ------------------------------------------------------------------------


def parted(desk, bybit_price="250", **options):
    """Two venues that call something else DOGE; Binance's is traded more."""
    desk.serve(binance=binance(BTC=1, DOGE=50), bybit=bybit(BTC=1, DOGE=10))
    desk.stand.pages[BYBIT] = [prices(BTC=100, DOGE=bybit_price)]
    desk.open(**options)
    return desk.list("binance", "BTC", "DOGE").list("bybit", "BTC", "DOGE")


def prices(**by_base):
    rows = [
        {"symbol": f"{base}USDT", "lastPrice": str(price), "turnover24h": "1000", "openInterest": "1"}
        for base, price in by_base.items()
    ]
    return Reply(json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": rows}}).encode())


def rejected(desk, box):
    desk.told()
    return [set(one.rejected) for one in box if isinstance(one, AssetsWatched)]


def test_a_contract_of_another_price_is_left_out_on_its_venue_also_where_the_assets_are_named(desk):
    parted(desk, size=0, always=("BTC", "DOGE"))
    desk.pass_s(3.1)

    assert rejected(desk, desk.catalogues["bybit"]) == rejected(desk, desk.poller) == [{"DOGEUSDT"}]
    assert rejected(desk, desk.catalogues["binance"]) == [set()]
    (entry,) = desk.of("mapping_rejected")
    assert (entry["venue"], entry["instrument"], entry["asset"]) == ("bybit", "DOGEUSDT", "DOGE")
    assert (entry["reason"], entry["price"]) == ("price", 250.0)
    assert desk.told()[0] == {"BTC", "DOGE"}


def test_named_assets_whose_prices_agree_change_nothing(desk):
    both(desk, size=0)
    desk.pass_s(3.1)

    assert len(desk.stand.requests) == 2
    assert desk.told() == []
    assert desk.count("universe_ranked") == 0


def test_it_is_let_in_again_when_the_prices_agree(desk):
    parted(desk, size=0)
    desk.pass_s(3.1)

    desk.stand.pages[BYBIT] = [prices(BTC=100, DOGE=101)]
    desk.pass_s(3600)

    assert rejected(desk, desk.catalogues["bybit"]) == [{"DOGEUSDT"}, set()]
    assert [(one["venue"], one["instrument"]) for one in desk.of("mapping_accepted")] == [("bybit", "DOGEUSDT")]


def test_a_venue_that_cannot_be_asked_changes_no_verdict(desk):
    parted(desk, size=0)
    desk.pass_s(3.1)

    desk.serve(binance=Reply(b"", 503))
    for _ in range(3):
        desk.pass_s(3600)

    assert desk.count("turnover_failed") >= 3
    assert rejected(desk, desk.catalogues["bybit"]) == [{"DOGEUSDT"}]
    assert (desk.count("mapping_rejected"), desk.count("mapping_accepted")) == (1, 0)


def test_looking_at_the_prices_every_hour_ranks_no_sooner_than_daily(desk):
    both(desk).ranked(1)

    for _ in range(5):
        desk.pass_s(3600)

    assert len(desk.stand.requests) == 12
    assert desk.count("universe_ranked") == 1


def test_a_successor_remembers_what_is_left_out(desk):
    parted(desk, size=0)
    desk.pass_s(3.1)

    desk.stage.crash(paths.UNIVERSE)
    desk.list("binance", "BTC", "DOGE").list("bybit", "BTC", "DOGE")
    desk.pass_s(3.1)

    assert desk.count("mapping_rejected") == 1
    assert len(rejected(desk, desk.catalogues["bybit"])) == 1


def kept_of(desk):
    """What the universe handed in to be kept last, as it comes back to another process."""
    desk.stage.quiet(paths.CHECKPOINTS)
    taken = [one for one in desk.checkpoints if isinstance(one, CheckpointTaken)][-1]
    state = msgspec.msgpack.encode(taken.state)
    return CheckpointRestored(part=taken.part, schema=taken.schema, at_ms=taken.at_ms, state=state)


def test_another_process_begins_with_what_was_chosen_and_left_out(desk):
    parted(desk, size=2)
    desk.ranked(1)
    kept = kept_of(desk)

    other = Desk()
    try:
        other.open(size=2)
        other.stage.tell(paths.UNIVERSE, kept)
        other.stage.quiet(paths.UNIVERSE)

        assert other.told() == [{"BTC", "DOGE"}]
        assert rejected(other, other.catalogues["bybit"]) == [{"DOGEUSDT"}]
        assert other.of("universe_restored")[0]["n"] == 2
    finally:
        other.close()


# -- streams outside the universe ---------------------------------------------------------------------------------------


def test_streams_outside_the_universe_are_asked_to_end_when_idle_and_those_inside_are_not(desk):
    boxes = {asset: desk.stage.record(paths.symbol_path(asset)) for asset in ("BTC", "PEPE")}
    both(desk).ranked(1)

    desk.pass_s(61)
    for asset in boxes:
        desk.stage.quiet(paths.symbol_path(asset))

    assert [one for one in boxes["PEPE"] if one != "settle"][:1] == [RetireIfIdle(idle_s=600.0)]
    assert [one for one in boxes["BTC"] if one != "settle"] == []


def test_before_the_first_ranking_nobody_is_asked_to_end(desk):
    box = desk.stage.record(paths.symbol_path("PEPE"))
    desk.open()

    desk.pass_s(700)
    desk.stage.quiet(paths.symbol_path("PEPE"))

    assert [one for one in box if one != "settle"] == []
