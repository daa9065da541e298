import gzip
import json

import pytest

from simulator.tape import Tape, TapeError, read_tapes, wire_symbol

ROWS = """Hello Arbitrage Trading BotADA,SELL,LIMIT,IOC,17616,0.55660,None,FILLED,3470,17616,1750712378119,9805.0656
BTCUSDC,BUY,LIMIT,IOC,0.002,101000.0,100900.5,FILLED,0.002,0.002,1750712378119,202.0
ONT,SELL,LIMIT,IOC,2288.2,0.0600,0.0606,FILLED,2288.2,2288.2,1750712379000,137.29,100
"""


def orders(tape: Tape) -> list[dict]:
    return [json.loads(record.frame.payload) for record in tape.records]


@pytest.fixture
def csv_file(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(ROWS)
    return str(file)


@pytest.mark.parametrize(
    ("recorded", "symbol"),
    [
        ("BTC", "BTCUSDT"),
        ("BTCUSDC", "BTCUSDC"),
        ("RAREUSDT", "RAREUSDT"),
        ("BTC_250627", "BTCUSDT_250627"),
        ("1000000BOB", "1000000BOBUSDT"),
        ("币安人生", "币安人生USDT"),
        ("Hello Arbitrage Trading BotADA", "ADAUSDT"),
    ],
)
def test_symbols_get_back_what_the_recorder_cut_out(recorded, symbol):
    assert wire_symbol(recorded) == symbol


def test_a_csv_row_becomes_a_frame_of_the_merged_stream(csv_file):
    tape = read_tapes([csv_file])

    assert orders(tape)[2] == {
        "e": "forceOrder",
        "E": 1750712379000,
        "o": {
            "s": "ONTUSDT",
            "S": "SELL",
            "o": "LIMIT",
            "f": "IOC",
            "q": "2288.2",
            "p": "0.0600",
            "ap": "0.0606",
            "X": "FILLED",
            "l": "2288.2",
            "z": "2288.2",
            "T": 1750712379000,
        },
        "ps": "ONTUSDT",
        "st": 1,
    }
    assert {record.frame.topic for record in tape.records} == {"!forceOrder@arr"}


def test_an_average_price_that_was_not_recorded_is_sent_as_zero(csv_file):
    assert [order["o"]["ap"] for order in orders(read_tapes([f"binance:{csv_file}"]))] == ["0", "100900.5", "0.0606"]


def test_records_of_equal_times_keep_the_order_of_the_file(csv_file):
    assert [order["o"]["s"] for order in orders(read_tapes([csv_file]))] == ["ADAUSDT", "BTCUSDC", "ONTUSDT"]


def test_frames_are_timed_by_their_event_time(tmp_path):
    file = tmp_path / "frames.jsonl.gz"
    lines = [
        '{"result":null,"id":1}',
        '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1000,"s":"BTCUSDT","p":"1.10"}}',
        '[{"e":"markPriceUpdate","E":3000,"s":"BTCUSDT","p":"1"},{"e":"markPriceUpdate","E":3000,"s":"ETHUSDT","p":"1"}]',
    ]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))

    tape = read_tapes([f"binance:{file}"])

    assert [(record.time_ms, record.frame.topic) for record in tape.records] == [
        (1000, "btcusdt@aggTrade"),
        (3000, "!markPrice@arr"),
    ]
    assert tape.records[0].frame.payload == '{"e":"aggTrade","E":1000,"s":"BTCUSDT","p":"1.10"}'
    assert tape.symbols("binance") == ["BTCUSDT", "ETHUSDT"]


def test_frames_are_timed_by_the_receive_times_beside_them(tmp_path):
    (tmp_path / "frames.jsonl").write_text('{"topic":"tickers.BTCUSDT","ts":1000,"data":{}}\n')
    (tmp_path / "frames.recv_ms").write_text("1250\n")

    assert read_tapes([f"bybit:{tmp_path / 'frames.jsonl'}"]).records[0].time_ms == 1250


def test_an_okx_frame_belongs_to_its_channel_and_instrument(tmp_path):
    frame = '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"instId":"A-USDT-SWAP","details":[{"ts":"5"}]}]}'
    (tmp_path / "frames.jsonl").write_text(frame + "\n")

    record = read_tapes([f"okx:{tmp_path / 'frames.jsonl'}"]).records[0]

    assert (record.frame.topic, record.time_ms, record.symbols) == ("liquidation-orders:SWAP", 5, ("A-USDT-SWAP",))


def test_a_record_older_than_the_one_before_keeps_its_place(tmp_path):
    frames = [f'{{"topic":"tickers.BTCUSDT","ts":{ts},"data":{{}}}}' for ts in (2000, 1000, 3000)]
    (tmp_path / "frames.jsonl").write_text("\n".join(frames))

    records = read_tapes([f"bybit:{tmp_path / 'frames.jsonl'}"]).records

    assert [record.time_ms for record in records] == [2000, 2000, 3000]
    assert [json.loads(record.frame.payload)["ts"] for record in records] == [2000, 1000, 3000]


def test_long_pauses_are_shortened_and_the_jump_lands_just_before_the_next_record(tmp_path):
    frames = [f'{{"topic":"tickers.BTCUSDT","ts":{ts},"data":{{}}}}' for ts in (0, 60_000, 1_060_000)]
    (tmp_path / "frames.jsonl").write_text("\n".join(frames))
    tape = read_tapes([f"bybit:{tmp_path / 'frames.jsonl'}"])

    schedule = tape.schedule(500.0, speed=10.0, lead_in_s=1.0)

    assert schedule.due_s == pytest.approx((501.0, 507.0, 513.0))
    assert [point[1:] for point in schedule.breakpoints] == [(-10_000, 10.0), (1_059_999, 10.0)]
    assert schedule.breakpoints[1][0] == pytest.approx(512.9999)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("missing.csv", None, "no such file"),
        ("short.csv", "BTC,SELL\n", "expected 12 columns"),
        ("frames.jsonl", "{}\n", "write VENUE:FILE"),
        ("gate:odd.jsonl", '{"event":"update","channel":"futures.trades"}', "no frame of the venue"),
    ],
)
def test_a_tape_that_cannot_be_used_says_why(tmp_path, name, content, complaint):
    venue, colon, file = name.rpartition(":")
    if content is not None:
        (tmp_path / file).write_text(content)

    with pytest.raises(TapeError, match=complaint):
        read_tapes([f"{venue}{colon}{tmp_path / file}"])


@pytest.mark.parametrize("day", ["2024-08-17", "2024-08-18", "2025-06-23a", "2025-06-23b", "2025-12-27_28"])
def test_recorded_forced_orders_come_back_row_by_row(shared_data, day):
    file = shared_data / "binance" / "force_orders" / f"{day}_all_symbols.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()]

    tape = read_tapes([str(file)])

    assert len(tape.records) == len(rows)
    for row, event in zip(rows, orders(tape), strict=True):
        order = event["o"]
        sent = [order[key] for key in ("S", "o", "f", "q", "p", "X", "l", "z")] + [str(order["T"])]
        assert sent == [*row[1:6], *row[7:11]]
        assert order["s"].replace("USDT", "") == row[0].replace("USDT", "").removeprefix("Hello Arbitrage Trading Bot")


@pytest.mark.parametrize(
    ("argument", "records"),
    [
        ("bybit:bybit/ws/ticker_2026-08-09.jsonl", 758),
        ("okx:okx/ws/trades_2022-05-13.jsonl", 74),
        ("binance:binance/ws/agg_trade_2021-07-22.jsonl", None),
        ("gate:gate/ws/futures_gct.jsonl", 16),
        ("bitget:bitget/ws/ticker_2022-04-07.jsonl", 217),
        ("hyperliquid:hyperliquid/ws/trades_l2_BTC_2025-01-26.jsonl", 55),
        ("deribit:deribit/ws/trades_perpetual.json", 1),
    ],
)
def test_recorded_frames_of_every_venue_can_be_played(shared_data, argument, records):
    venue, _, file = argument.partition(":")

    tape = read_tapes([f"{venue}:{shared_data / file}"])

    assert tape.venues == (venue,)
    assert len(tape.records) == (records or len(tape.records))
    assert tape.symbols(venue)


NEWER = {
    "gate": (
        (
            '{"time":1700000001,"channel":"futures.trades","event":"update",'
            '"result":[{"size":-5,"id":1,"create_time":1700000001,"price":"2171.4","contract":"ETH_USDT"}]}'
        ),
        ("futures.trades:ETH_USDT/decimal", "futures.trades:ETH_USDT"),
        "ETH_USDT",
        1_700_000_001_000,
    ),
    "bitget": (
        (
            '{"action":"update","arg":{"instType":"usdt-futures","topic":"liquidation"},'
            '"data":[{"symbol":"APEUSDT","side":"buy","price":"0.1","amount":"1","ts":"1"}],"ts":1700000000002}'
        ),
        ("liquidation",),
        "APEUSDT",
        1_700_000_000_002,
    ),
    "hyperliquid": (
        '{"channel":"trades","data":[{"coin":"kPEPE","side":"A","px":"1.9","sz":"1","time":1700000000003,"tid":6}]}',
        ("trades:kPEPE",),
        "kPEPE",
        1_700_000_000_003,
    ),
    "deribit": (
        (
            '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.SOL_USDC-PERPETUAL.raw","data":'
            '[{"timestamp":1700000000004,"instrument_name":"SOL_USDC-PERPETUAL","price":1.0,"amount":1.0}]}}'
        ),
        (
            "trades.SOL_USDC-PERPETUAL.100ms",
            "trades.future.USDC.100ms",
            "trades.any.USDC.100ms",
            "trades.future.any.100ms",
            "trades.any.any.100ms",
        ),
        "SOL_USDC-PERPETUAL",
        1_700_000_000_004,
    ),
}


@pytest.mark.parametrize("venue", NEWER)
def test_frames_of_the_newer_venues_know_their_topics_contract_and_time(venue, tmp_path):
    line, topics, symbol, time_ms = NEWER[venue]
    (tmp_path / "frames.jsonl").write_text(f"{line}\n")

    (record,) = read_tapes([f"{venue}:{tmp_path / 'frames.jsonl'}"]).records

    assert (record.topics, record.symbols, record.time_ms) == (topics, (symbol,), time_ms)
    assert record.frame.payload == line


def test_a_frame_goes_to_the_first_topic_somebody_wants(tmp_path):
    (tmp_path / "frames.jsonl").write_text(NEWER["gate"][0])
    (record,) = read_tapes([f"gate:{tmp_path / 'frames.jsonl'}"]).records

    assert record.frame_for({"futures.trades:ETH_USDT"}.__contains__).topic == "futures.trades:ETH_USDT"
    assert record.frame_for(lambda _: False) is record.frame


def test_a_frame_without_a_time_comes_after_the_one_before_it(tmp_path):
    context = '{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"markPx":"1.0"}}}'
    (tmp_path / "frames.jsonl").write_text("\n".join((NEWER["hyperliquid"][0], context)))

    first, second = read_tapes([f"hyperliquid:{tmp_path / 'frames.jsonl'}"]).records

    assert (second.frame.topic, second.time_ms) == ("activeAssetCtx:BTC", first.time_ms)
