import msgspec
import pytest

from actors.exchanges.exchange import FrameError, Instrument, UnknownInstrument
from actors.exchanges.wire import EpochMs, Findings, Positive, RowReader, epoch_or_none, retry_after_s


class Row(msgspec.Struct):
    price: Positive
    at_ms: EpochMs = 1_700_000_000_000


ROWS = RowReader(Row)


@pytest.mark.parametrize("price", ["1e-18", '"0.5"', "123456789012345678", '"1e3"'])
def test_numbers_are_read_from_text_or_as_they_are(price):
    problems = []

    assert [row.price for row in ROWS.read(f'[{{"price":{price}}}]'.encode(), problems)] == [float(price.strip('"'))]
    assert problems == []


@pytest.mark.parametrize("price", ["0", "-1", "1e18", "1e-19", '"NaN"', '"inf"', '"-Infinity"', "1e999", "true", '""'])
def test_numbers_that_are_none_or_absurd_are_refused_by_the_name_of_their_field(price):
    problems = []

    assert ROWS.read(f'[{{"price":{price}}},{{"price":2}}]'.encode(), problems) == [Row(2)]
    assert len(problems) == 1
    assert "$.price" in str(problems[0])


@pytest.mark.parametrize("at_ms", [0, 1_700_000_000, 1_700_000_000_000_000, -1])
def test_seconds_and_microseconds_do_not_pass_for_milliseconds(at_ms):
    problems = []

    assert ROWS.read(f'[{{"price":1,"at_ms":{at_ms}}}]'.encode(), problems) == []
    assert "$.at_ms" in str(problems[0])


def test_what_is_no_list_is_one_problem():
    problems = []

    assert ROWS.read(b'{"price":1}', problems) == []
    assert len(problems) == 1


def test_an_excerpt_cannot_steer_a_terminal_or_flood_a_log():
    problems = []
    ROWS.read(b'["\x1b[2J' + b"x" * 10_000 + b'"]', problems)

    assert "\x1b" not in str(problems[0])
    assert len(str(problems[0])) < 300


def test_a_missing_time_may_be_zero_but_not_another_age():
    assert epoch_or_none("T", 0) is None
    assert epoch_or_none("T", None) is None
    assert epoch_or_none("T", 1_700_000_000_000) == 1_700_000_000_000
    with pytest.raises(FrameError, match=r"^T: "):
        epoch_or_none("T", 1_700_000_000)


def test_reasons_are_told_once_each_with_the_number_of_rows():
    found = Findings()
    for name in ("A", "B", "C"):
        found.set_aside("other_market", name)
    found.set_aside("not_listed", "D")

    told = found.conclude("okx", 5)

    assert [(one.reason, one.instrument, one.detail) for one in told] == [
        ("other_market", None, "3 rows"),
        ("not_listed", "D", ""),
    ]


def test_a_frame_of_which_only_instruments_are_unknown_says_so():
    found, mixed = Findings(), Findings()
    found.problems += [UnknownInstrument("NEW"), UnknownInstrument("NEWER")]
    mixed.problems += [UnknownInstrument("NEW"), FrameError("px")]

    with pytest.raises(UnknownInstrument, match="and 1 more row"):
        found.conclude("okx", 5)
    with pytest.raises(FrameError) as caught:
        mixed.conclude("okx", 5)
    assert not isinstance(caught.value, UnknownInstrument)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [({"Retry-After": "7"}, 7), ({"RETRY-AFTER": "7"}, 7), ({}, 60), ({"Retry-After": "Wed, 21 Oct 2026"}, 60)],
)
def test_retry_after_counts_only_in_seconds(headers, wait_s):
    assert retry_after_s(headers, 60) == wait_s


def test_instruments_count_one_to_one_unless_told_otherwise():
    plain = Instrument(venue="okx", instrument="BTC-USDT-SWAP", asset="BTC")

    assert (plain.contract_size, plain.multiplier) == (1, 1)
