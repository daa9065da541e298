from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.telegram import meaning, parsing
from intelligence.alerts import AlertKind, Severity
from intelligence.gates import Loudness, QuietHours

KNOWN = frozenset({"BTC", "ETH", "PEPE", "KAS", "1INCH", "USDC", "SHIB"})
NAMES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=8).filter(
    lambda name: not name.endswith(("USDT", "USDC", "USD", "PERP", "SWAP"))
)


@pytest.mark.parametrize(
    ("word", "asset"),
    [
        ("btc", "BTC"),
        ("BTC/USDT", "BTC"),
        ("btcusdt", "BTC"),
        ("BTC-PERP", "BTC"),
        ("$eth", "ETH"),
        ("1000pepe", "PEPE"),
        ("1000PEPEUSDT", "PEPE"),
        ("kPEPE", "PEPE"),
        ("SHIB1000", "SHIB"),
        ("kas", "KAS"),
        ("1inch", "1INCH"),
        ("usdc", "USDC"),
        ("BTCX", None),
        ("", None),
        ("/", None),
    ],
)
def test_an_asset_is_found_however_it_is_written(word, asset):
    assert parsing.asset_of(word, KNOWN) == asset


@given(name=NAMES, quote=st.sampled_from(["", "USDT", "/USDT", "-USDC", "_USD", "-PERP", ":USDT"]), upper=st.booleans())
def test_any_asset_is_found_with_any_quote_in_any_case(name, quote, upper):
    word = name + quote if upper else (name + quote).lower()

    assert parsing.asset_of(word, {name}) == name


@given(word=st.text(max_size=40), known=st.frozensets(NAMES, max_size=8))
def test_whatever_is_written_is_a_known_asset_or_none(word, known):
    assert parsing.asset_of(word, known) in {None, *known}
    assert set(parsing.suggestions(word, known)) <= known


def test_a_slip_of_the_finger_brings_the_likeliest_first():
    assert parsing.suggestions("bct", KNOWN)[0] == "BTC"
    assert parsing.suggestions("pepee", KNOWN)[0] == "PEPE"


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("90s", 90), ("15m", 900), ("15min", 900), ("4h", 14_400), ("1d12h", 129_600), ("1W", 604_800)]
    + [(word, None) for word in ("", "h", "4", "0h", "-4h", "4y", "99d", "4 h", "999999d")],
)
def test_periods(word, seconds):
    assert parsing.span_s(word) == seconds


@pytest.mark.parametrize(
    ("word", "amount"),
    [
        ("50k", (50_000, False)),
        ("$1.5M", (1.5e6, False)),
        ("2b", (2e9, False)),
        ("50,000", (50_000, False)),
        ("10%", (10, True)),
        ("1.5 %", None),
        ("-5", None),
        ("nan", None),
        ("", None),
    ],
)
def test_amounts(word, amount):
    assert parsing.amount(word) == amount


@pytest.mark.parametrize(
    ("word", "kind"),
    [(kind.value, kind) for kind in AlertKind if kind is not AlertKind.NOTICE]
    + [("liquidations", AlertKind.LIQUIDATION), ("OI", AlertKind.OPEN_INTEREST), ("cascades", AlertKind.CASCADE)]
    + [("volume", AlertKind.VOLUME_SPIKE), ("nonsense", None), ("", None)],
)
def test_families_have_several_names(word, kind):
    assert parsing.kind(word) is kind


def test_severities_and_loudness():
    assert parsing.severity("p1") is Severity.P1
    assert parsing.severity("p4") is None
    assert parsing.loudness("on") is Loudness.LOUD
    assert parsing.loudness("Silent") is Loudness.SILENT
    assert parsing.loudness("shrill") is None


NIGHT = QuietHours(from_minute=1_380, to_minute=420, zone="UTC")


@pytest.mark.parametrize(
    ("words", "quiet"),
    [
        ("23:00-07:00", NIGHT),
        ("23:00 - 7:00", NIGHT),
        ("23:00 to 07:00 utc", NIGHT),
        ("23:00-07:00 europe/berlin", QuietHours(from_minute=1_380, to_minute=420, zone="Europe/Berlin")),
        (
            "23:00-07:00 America/Port-au-Prince",
            QuietHours(from_minute=1_380, to_minute=420, zone="America/Port-au-Prince"),
        ),
        ("23:00-07:00 Mars/Olympus", None),
        ("23:00-23:00", None),
        ("24:00-07:00", None),
        ("11pm-7am", NIGHT),
        ("23-7", NIGHT),
        ("23:00", None),
        ("", None),
    ],
)
def test_quiet_hours(words, quiet):
    assert parsing.quiet_hours(words.split(), "UTC") == quiet


@pytest.mark.parametrize(
    ("word", "zone"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("utc+2", "Etc/GMT-2"),
        ("Z", "UTC"),
        ("Atlantis", None),
    ],
)
def test_a_time_zone_is_found_by_its_name_city_or_offset(word, zone):
    assert parsing.zone(word) == zone


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("14:32", "2023-11-14T14:32:00+01:00"),
        ("23:30", "2023-11-13T23:30:00+01:00"),  # today it has not been yet
        ("14:32 UTC", "2023-11-14T14:32:00+00:00"),
        ("2023-11-10 08:00", "2023-11-10T08:00:00+01:00"),
        ("yesterday 2pm", "2023-11-13T14:00:00+01:00"),
        ("20m ago", "2023-11-14T21:53:00+00:00"),
        ("2023-11-20 08:00", None),
        ("someday 08:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_moment_that_has_been(said, moment):
    now_ms = 1_699_999_980_000  # 23:13 in Berlin
    wanted = None if moment is None else int(datetime.fromisoformat(moment).timestamp() * 1_000)

    assert parsing.moment_ms(said.split(), "Europe/Berlin", now_ms) == wanted


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("btc", "price btc"),
        ("BTC/USDT 4h", "price BTC/USDT 4h"),
        ("oi btc 4h", "oi btc 4h"),
        ("vol btc", "volume btc"),
        ("liquidations", "liquidations"),
        ("stop", ""),
        ("alerts stop", ""),
        ("chart something", ""),
        ("hello", ""),
        ("btc went up a lot today", ""),
    ],
)
def test_words_without_a_slash_ask_about_markets_and_change_nothing(said, meant):
    assert " ".join(meaning.spoken(said.split(), KNOWN)) == meant


@given(st.lists(st.text(max_size=12), max_size=4))
def test_whatever_is_written_never_breaks_a_reader(words):
    parsing.quiet_hours(words, "UTC")
    for word in words:
        for read in (parsing.span_s, parsing.amount, parsing.kind, parsing.severity, parsing.loudness, parsing.zone):
            read(word)
        parsing.minute_of_day(word)
