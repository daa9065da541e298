from actors.backfill_jobs import in_order, jobs_for, reference_contract
from actors.exchanges.exchange import Instrument
from actors.exchanges.registry import MARKET_DATA
from intelligence.history import DAY_MS, AssetHistory, Missing
from tests.intelligence.test_history import NOW, a_day, interest

MINUTE = 60_000
USDT = Instrument(venue="binance", instrument="SOLUSDT", asset="SOL")
USDC = Instrument(venue="binance", instrument="SOLUSDC", asset="SOL")
NOTHING_KNOWN = AssetHistory().missing(NOW)


def jobs(missing=NOTHING_KNOWN, contracts=(USDT,), venue="binance", *, bars=True):
    return jobs_for("SOL", contracts, missing, MARKET_DATA[venue], NOW, bars=bars)


def spans(found):
    return [(job.instrument.instrument, job.interval, NOW - job.from_ms) for job in found]


def test_minutes_and_open_interest_come_before_hours_and_days():
    found = jobs(contracts=(USDC, USDT))

    assert [(job.instrument.instrument, job.interval) for job in found] == [
        ("SOLUSDT", "1m"),
        ("SOLUSDC", None),
        ("SOLUSDT", None),
        ("SOLUSDT", "1h"),
        ("SOLUSDT", "1d"),
    ]
    assert [job.is_urgent for job in found] == [True, True, True, False, False]


def test_only_the_reference_brings_bars():
    assert [job.interval for job in jobs(bars=False)] == [None]


def test_a_venue_without_history_is_not_asked_for_it():
    bitget = Instrument(venue="bitget", instrument="SOLUSDT", asset="SOL")

    assert jobs(contracts=(bitget,), venue="bitget", bars=False) == ()


def test_what_is_known_is_not_asked_for_again():
    history = AssetHistory()
    history.take_bars(a_day())
    for back in range(DAY_MS // MINUTE + 10, -1, -1):
        history.take_open_interest(interest(NOW - back * MINUTE))
    missing = history.missing(NOW)
    okx = Instrument(venue="okx", instrument="SOL-USDT-SWAP", asset="SOL")

    assert [job.interval for job in jobs(missing)][:2] == [None, "1h"]  # the open interest of Binance, no minutes
    assert jobs(missing, contracts=(okx,), venue="okx", bars=False) == ()


def test_a_gap_is_asked_for_from_its_beginning():
    missing = Missing(
        reference=("binance", "SOLUSDT"),
        bars={"1m": NOW - 7 * MINUTE},
        known=frozenset({("binance", "SOLUSDT")}),
        open_interest={("binance", "SOLUSDT"): NOW - 20 * MINUTE},
    )

    assert spans(jobs(missing)) == [("SOLUSDT", "1m", 7 * MINUTE), ("SOLUSDT", None, 20 * MINUTE)]


def test_the_contract_margined_in_usdt_stands_for_the_asset():
    inverse = Instrument(venue="deribit", instrument="BTC-PERPETUAL", asset="BTC", inverse=True)
    linear = Instrument(venue="deribit", instrument="BTC_USDC-PERPETUAL", asset="BTC")

    assert reference_contract([USDC, USDT]) is USDT
    assert reference_contract([inverse, linear]) is linear


def test_the_most_important_assets_come_first_then_those_that_rank_higher():
    assets = {"ZEC", "DOT", "BTC", "XRP", "AAVE", "ETH"}

    assert in_order(assets, ("XRP", "ZEC", "BTC")) == ("BTC", "ETH", "DOT", "XRP", "ZEC", "AAVE")
