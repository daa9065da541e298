import argparse
import gzip
import io
import json

import pytest

from commands import decode
from tests.actors.exchanges.frames import (
    BYBIT_KLINE,
    OKX_TRADE,
    all_liquidation,
    encoded,
    force_order,
    liquidation_orders,
    recorded,
)
from tests.actors.exchanges.newer_frames import (
    GATE_TRADE,
    HYPERLIQUID_CONTEXTS,
    bitget_liquidation,
    deribit_ticker,
    deribit_trades,
)

OKX_LIST = {
    "code": "0",
    "data": [
        {
            "instType": "SWAP",
            "instId": "IOST-USDT-SWAP",
            "uly": "IOST-USDT",
            "ctType": "linear",
            "state": "live",
            "ctVal": "1000",
            "ctMult": "1",
            "settleCcy": "USDT",
        }
    ],
}


@pytest.fixture
def run(capfdbinary, monkeypatch, tmp_path):
    """Run the command on frames (a file's or stdin's); returns exit code, records, lines of stderr."""

    def run_it(*words, stdin=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        parser = argparse.ArgumentParser()
        decode.add_arguments(parser)
        code = decode.run(parser.parse_args([str(word) for word in words]))
        out, err = capfdbinary.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.decode().splitlines()

    return run_it


@pytest.fixture
def okx_list(tmp_path):
    file = tmp_path / "instruments.json"
    file.write_text(json.dumps(OKX_LIST, indent=2))
    return file


def lines(*frames):
    return b"".join((frame if isinstance(frame, bytes) else encoded(frame)) + b"\n" for frame in frames)


def test_a_frame_becomes_a_record_with_the_fields_of_the_contract(run):
    code, records, errors = run("binance", "--received-ms", 1700000000000, stdin=lines(force_order()))

    assert (code, errors) == (0, [])
    assert records == [
        {
            "type": "liquidation",
            "venue": "binance",
            "instrument": "BTCUSDT",
            "asset": "BTC",
            "exchange_ms": 1568014460893,
            "received_ms": 1700000000000,
            "position_side": "long",
            "quantity": 0.014,
            "price": 9905.0,
            "price_kind": "fill",
            "notional_usd": pytest.approx(138.67),
            "coverage": "capped",
        }
    ]


def test_without_a_time_of_receipt_an_event_counts_as_received_when_it_happened(run):
    ack = {"success": True, "op": "subscribe", "ret_msg": ""}

    _, records, _ = run("bybit", stdin=lines(ack, all_liquidation(), ack, BYBIT_KLINE))

    assert [record["received_ms"] for record in records] == [0, 1739502302929, 1739502302929, 1789999200000]


def test_a_file_is_read_and_so_is_a_compressed_one(run, tmp_path):
    plain, packed = tmp_path / "frames.jsonl", tmp_path / "frames.jsonl.gz"
    plain.write_bytes(lines(force_order()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert run("binance", plain) == run("binance", packed)
    assert run("binance", plain)[1][0]["type"] == "liquidation"


def test_a_malformed_line_is_told_by_its_number_and_the_others_are_decoded(run):
    code, records, errors = run("bybit", stdin=lines(all_liquidation(), b"", b"{nonsense", all_liquidation()))

    assert code == 1
    assert [record["type"] for record in records] == ["liquidation"] * 2
    assert errors[0].startswith("line 3: ")
    assert "{nonsense" in errors[0]
    assert errors[-1] == "1 of 3 lines were not understood or only in part"


def test_the_good_rows_of_a_bad_line_are_printed(run):
    code, records, errors = run("bybit", stdin=lines(all_liquidation({}, {"v": "0"})))

    assert code == 1
    assert len(records) == 1
    assert "$.v" in errors[0]


def test_okx_without_its_list_is_an_error_that_says_what_to_do(run):
    code, records, errors = run("okx", stdin=lines(liquidation_orders(), OKX_TRADE))

    assert (code, records) == (1, [])
    assert "list of instruments is missing" in errors[0]
    assert "GET /api/v5/public/instruments?instType=SWAP" in errors[0]
    assert "--instruments" in errors[0]


def test_okx_with_its_list_counts_in_coins(run, okx_list):
    code, records, _ = run("okx", "--instruments", okx_list, stdin=lines(liquidation_orders()))

    assert code == 0
    assert records[0]["quantity"] == 13_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_several_pages_may_stand_in_one_file_or_in_several(run, tmp_path, pack):
    page = encoded(OKX_LIST)
    other = page.replace(b"IOST", b"BTC").replace(b'"1000"', b'"0.01"')
    together, first, second = tmp_path / "both", tmp_path / "first", tmp_path / "second"
    together.write_bytes(pack(lines(page, other)))
    first.write_bytes(pack(page))
    second.write_bytes(pack(other))
    frames = lines(liquidation_orders(), OKX_TRADE)

    in_one = run("okx", "--instruments", together, stdin=frames)
    in_two = run("okx", "--instruments", first, "--instruments", second, stdin=frames)

    assert in_one == in_two
    assert [record["asset"] for record in in_one[1]] == ["IOST", "BTC"]


def test_orders_of_before_the_subscription_are_told_as_dropped(run, okx_list):
    ack = {"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "connId": "a"}
    words = ("okx", "--instruments", okx_list, "--received-ms", 1_790_000_000_000)

    code, records, _ = run(*words, stdin=lines(ack, liquidation_orders(), b"pong"))

    assert code == 0
    assert [record["reason"] for record in records] == ["subscribed", "snapshot_dropped", "pong"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("kraken",), "expected a venue (binance, bybit, okx, gate, bitget, hyperliquid, deribit), was 'kraken'"),
        (("okx", "/no/such/file"), "/no/such/file cannot be read"),
        (("okx", "--instruments", "/no/such/list"), "list of instruments cannot be read"),
        (("okx", "--instruments", __file__), "list of instruments cannot be read"),
    ],
)
def test_a_misuse_is_one_clear_line_and_exit_64(run, words, told):
    code, records, errors = run(*words)

    assert (code, records, len(errors)) == (64, [], 1)
    assert told in errors[0]


def test_a_damaged_archive_keeps_what_was_read_before_the_damage(run, tmp_path):
    file = tmp_path / "frames.gz"
    file.write_bytes(gzip.compress(lines(*[force_order({"T": 1568014460893 + n}) for n in range(5000)]))[:-20])

    code, records, errors = run("binance", file)

    assert code == 1
    assert len(records) > 1000
    assert "cannot be read to its end" in errors[-1]


@pytest.mark.parametrize(
    ("venue", "words"),
    [
        ("gate", ["GET /api/v4/futures/usdt/contracts?limit=100&offset=0"]),
        ("hyperliquid", ["POST /info", '{"type":"meta"}']),
    ],
)
def test_what_cannot_be_read_without_a_list_says_which_reply_to_save(run, venue, words):
    frames = {"gate": GATE_TRADE, "hyperliquid": HYPERLIQUID_CONTEXTS}

    code, _, errors = run(venue, stdin=lines(frames[venue]))

    assert code == 1
    assert all(word in errors[0] for word in words)


def test_a_document_printed_over_several_lines_is_one_frame(run):
    pretty = json.dumps(deribit_trades(), indent=2).encode()
    frames = lines(deribit_ticker()) + pretty + b"\n" + lines(b"{broken") + pretty

    code, records, errors = run("deribit", stdin=frames)

    assert [record["type"] for record in records] == ["mark_price", "open_interest", "trade", "trade"]
    assert code == 1
    assert errors[0].startswith(f"line {2 + len(pretty.splitlines())}: ")


def test_a_lone_bracket_costs_no_line_after_it(run):
    code, records, errors = run("deribit", stdin=lines(b"{", deribit_ticker(), b"{", b"  1"))

    assert code == 1
    assert len(records) == 2
    assert [error.partition(":")[0] for error in errors[:2]] == ["line 1", "line 3"]


def test_what_is_uncertain_says_so_and_what_is_not_does_not(run):
    _, (found,), _ = run("bitget", stdin=lines(bitget_liquidation()))
    _, (certain,), _ = run("binance", stdin=lines(force_order()))

    assert found["uncertain"] == "unit"
    assert "uncertain" not in certain


def test_a_recorded_stream_of_each_venue_is_understood_line_for_line(run):
    for venue, file in (
        ("bitget", "bitget/ws/trade_2022-04-07.jsonl"),
        ("hyperliquid", "hyperliquid/ws/trades_l2_BTC_2025-01-26.jsonl"),
        ("deribit", "deribit/ws/ticker_2021-07-22_options.jsonl"),
        ("binance", "binance/ws/agg_trade_2021-07-22.jsonl"),
        ("bybit", "bybit/ws/ticker_2026-08-09.jsonl"),
        ("okx", "okx/ws/trades_2022-05-13.jsonl"),
    ):
        code, records, errors = run(venue, recorded(file))

        assert (code, errors) == (0, [])
        assert len(records) >= len(recorded(file).read_bytes().splitlines())
