"""Small files in the shapes of the recorded data; the recordings that come out are read back."""

import gzip
import json

import pytest

import run
from actors.recording.entries import FramesRead, InstrumentsKnown, RecordsKept, SocketMarked, TradesKept
from actors.recording.files import RecordingReader
from intelligence.market import Liquidation, MarkPrice, OpenInterest
from tests.actors.recording.builders import read

T0 = 1_781_395_203_000


@pytest.fixture
def convert(tmp_path):
    """Convert files given as name and text; the exit code and what is in the recording."""

    def converted(**texts):
        paths = []
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            if name.endswith(".gz"):
                path.write_bytes(gzip.compress(text.encode()))
            else:
                path.write_text(text)
            paths.append(str(path))
        out = tmp_path / "out.rec.zst"
        code = run.main(["convert", *paths, "--out", str(out)])
        entries, torn = read(out)
        assert torn == ""
        return code, entries

    return converted


def of(kind, entries):
    return [entry for entry in entries if isinstance(entry, kind)]


def test_ticks_of_hyperliquid_become_a_read_a_second(convert):
    rows = [(0, 2.0, 5.0, "B"), (400, 2.5, 1.0, "A"), (1_000, 3.0, 7.0, "B")]
    text = "\n".join(json.dumps({"ts": T0 + at, "px": px, "sz": sz, "side": side}) for at, px, sz, side in rows)

    code, entries = convert(**{"trades_DOGE_20260614.jsonl.gz": text})

    assert code == 0
    first, second = of(TradesKept, entries)
    assert (first.at_ms, first.times_ms) == (T0 + 400, [T0, T0 + 400])
    assert (first.prices, first.coins) == ([2.0, 2.5], [5.0, -1.0])
    assert second.coins == [7.0]
    (listed,) = of(InstrumentsKnown, entries)
    assert [one.asset for one in listed.instruments] == ["DOGE"]


def test_contexts_of_hyperliquid_become_marks_and_open_interest(convert):
    context = {"ts": T0, "funding": 1.25e-05, "oi": 100.0, "mark": 0.08, "oracle": 0.09}

    _, entries = convert(**{"ctx_kPEPE_20260614.jsonl": json.dumps(context)})

    ((mark, interest),) = [entry.records for entry in of(RecordsKept, entries)]
    assert isinstance(mark, MarkPrice)
    assert isinstance(interest, OpenInterest)
    assert (mark.asset, mark.funding_rate) == ("PEPE", 1.25e-05)
    assert (mark.price, mark.index_price) == pytest.approx((0.00008, 0.00009))
    assert (interest.quantity, interest.notional_usd) == (100_000.0, 8.0)


def test_forced_orders_become_the_frames_they_were(convert):
    text = (
        "Hello Arbitrage Trading BotADA,SELL,LIMIT,IOC,17616,0.55660,None,FILLED,3470,17616,1750712378119,9805.0656\n"
        "BTC,BUY,LIMIT,IOC,0.002,101000.0,100900.5,FILLED,0.002,0.002,1750712379000,202.0,7\n"
    )

    _, entries = convert(**{"2025-06-23a_all_symbols.csv": text})

    first, second = [json.loads(entry.frames[0])["data"]["o"] for entry in of(FramesRead, entries)]
    assert (first["s"], first["S"], first["ap"], first["z"]) == ("ADAUSDT", "SELL", "0", "17616")
    assert (second["s"], second["ap"], second["T"]) == ("BTCUSDT", "100900.5", 1750712379000)
    assert [mark.state for mark in of(SocketMarked, entries)] == ["up"]


def test_a_venue_without_liquidations_does_not_count_as_lost(convert, tmp_path):
    convert(**{"oi_5m_BTCUSDT_2025.csv": f"t,oi,oi_usd\n{T0},2,120000\n"})

    with RecordingReader(tmp_path / "out.rec.zst") as reader:
        assert (reader.header.venues, reader.header.silent) == (("binance",), ("binance",))


def test_open_interest_of_binance_is_in_coins_and_dollars(convert):
    _, entries = convert(**{"oi_5m_1000PEPEUSDT_2025.csv": f"t,oi,oi_usd\n{T0},2,120000\n"})

    ((figure,),) = [entry.records for entry in of(RecordsKept, entries)]
    assert (figure.asset, figure.quantity, figure.notional_usd) == ("PEPE", 2_000.0, 120_000.0)


def test_sizes_of_okx_get_their_contract_value(convert):
    text = "timestamp,venue,coin,side,size_usd,price\n2026-03-04T11:13:13.984000+00:00,okx,BTC,buy,120000,60000\n"

    _, entries = convert(**{"okx/liquidations_BTC.csv": text})

    ((event,),) = [entry.records for entry in of(RecordsKept, entries)]
    assert isinstance(event, Liquidation)
    assert (event.position_side, event.quantity, event.notional_usd) == ("short", 0.02, 1_200.0)
    assert event.exchange_ms == 1_772_622_793_984


def test_a_coin_whose_contract_value_is_not_known_is_in_doubt(convert):
    text = "timestamp,venue,coin,side,size_usd,price\n2026-03-04T11:13:13+00:00,okx,HYPE,sell,30,30\n"

    _, entries = convert(**{"okx/liquidations_HYPE.csv": text})

    ((event,),) = [entry.records for entry in of(RecordsKept, entries)]
    assert event.uncertain == "unit"


def test_a_candle_keeps_its_volume_and_its_prices(convert):
    text = "timestamp,open,high,low,close,volume\n2025-05-29 19:00:00+00:00,100,110,90,95,8\n"

    _, entries = convert(**{"bybit/kline_1m_BTCUSDT_2025.csv": text})

    marks = [entry.records[0] for entry in of(RecordsKept, entries)]
    trades = of(TradesKept, entries)
    assert [mark.price for mark in marks] == [100.0, 110.0, 90.0, 95.0]
    assert [mark.exchange_ms - marks[0].exchange_ms for mark in marks] == [0, 15_000, 33_000, 51_000]
    assert sum(abs(coins) for trade in trades for coins in trade.coins) == pytest.approx(8.0)
    assert sum(coins for trade in trades for coins in trade.coins) == pytest.approx(0.0)


def test_what_takers_bought_in_a_candle_stays_bought(convert):
    text = (
        "open_time,open,high,low,close,volume,taker_buy_base_asset_volume\n"
        "2025-06-06 21:41:00+00:00,100,110,90,105,8,6\n"
    )

    _, entries = convert(**{"binance/kline_1m_BTCUSDT_2025.csv": text})

    assert sum(coins for trade in of(TradesKept, entries) for coins in trade.coins) == pytest.approx(4.0)


def test_files_are_merged_by_time(convert):
    trade = {"px": 1.0, "sz": 1.0, "side": "B"}
    texts = {
        f"trades_{coin}_20260614.jsonl": "\n".join(json.dumps({"ts": T0 + at, **trade}) for at in times)
        for coin, times in (("BTC", (0, 9_000)), ("ETH", (4_000,)))
    }

    _, entries = convert(**texts)

    assert [entry.instrument for entry in of(TradesKept, entries)] == ["BTC", "ETH", "BTC"]


def test_a_line_that_cannot_be_read_is_told_and_left_out(convert, capsys):
    good = {"ts": T0, "px": 1.0, "sz": 1.0, "side": "B"}

    code, entries = convert(**{"trades_BTC_20260614.jsonl": f"{{torn\n{json.dumps(good)}\n"})

    assert code == 1
    assert len(of(TradesKept, entries)) == 1
    said = capsys.readouterr().err
    assert "trades_BTC_20260614.jsonl, line 1" in said
    assert "1 lines left out" in said


@pytest.mark.parametrize("name", ["unknown.csv", "kline_1m_BTCUSDT_2025.csv", "liquidations_BTC.csv"])
def test_a_file_that_cannot_be_recognised_is_an_error_of_use(tmp_path, name, capsys):
    (tmp_path / name).write_text("a,b\n")

    with pytest.raises(SystemExit) as ended:
        run.main(["convert", str(tmp_path / name), "--out", str(tmp_path / "out.rec.zst")])

    assert ended.value.code == 64
    assert "docs/recordings.md" in capsys.readouterr().err


def test_a_recording_is_not_written_over(convert, tmp_path, capsys):
    text = {"oi_5m_BTCUSDT_2025.csv": f"t,oi,oi_usd\n{T0},2,120000\n"}
    convert(**text)

    with pytest.raises(SystemExit) as ended:
        convert(**text)

    assert ended.value.code == 64
    assert "is there already" in capsys.readouterr().err
