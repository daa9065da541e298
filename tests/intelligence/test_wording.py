import json
import re
from html import unescape

import pytest
import tdjson
from hypothesis import given
from hypothesis import strategies as st

from intelligence.alerts import AlertKind, Stage, VenueShare
from intelligence.market import Coverage, PositionSide
from intelligence.wording import MAX_LINES, SEEN_CHARS, plain_text, telegram_html
from tests.intelligence.builders import T0, a_burst, a_detection, a_mark, an_alert, feed, of_kind

MAX_TEXT_CHARS = 4096  # Telegram Bot API, sendMessage: UTF-16 units after parsing
HOSTILE = ("<b>x", "A&B", "&lt;", 'x" onclick="', "a\nb\nc", "\u202egnp", "币安人生", "W" * 5_000, "</b><script>", "")
NAMES = st.text(max_size=60) | st.sampled_from(HOSTILE)


def a_cascade(**overrides):
    shares = (
        VenueShare(venue="binance", notional_usd=1_800_000.0, count=9, coverage=Coverage.CAPPED),
        VenueShare(venue="bybit", notional_usd=600_000.0, count=3, coverage=Coverage.COMPLETE),
    )
    fields = {
        "kind": AlertKind.CASCADE,
        "asset": "SOL",
        "value": 2_400_000.0,
        "threshold": 125_000.0,
        "factors": (("single_usd", 25_000.0), ("multiple", 5.0)),
        "context": (("largest_move_60s_sigmas", 3.14), ("venues_agreeing", "binance, bybit")),
        "venue": None,
        "instrument": None,
        "price": 142.31,
        "price_kind": None,
        "count": 12,
        "started_ms": T0,
        "latest_ms": T0 + 42_000,
        "first_venue": "bybit",
        "by_venue": shares,
        "move": -0.0084,
    }
    return an_alert(**(fields | overrides))


def telegram_reads(html):
    """Telegram's own parser, offline (telegram.md 1.1): the text as people see it."""
    query = {"@type": "parseTextEntities", "text": html, "parse_mode": {"@type": "textParseModeHTML"}}
    answer = json.loads(tdjson.td_execute(json.dumps(query).encode()))
    assert answer["@type"] == "formattedText", answer
    return answer["text"]


@pytest.fixture(autouse=True, scope="module")
def _quiet_parser():
    tdjson.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())


def test_a_liquidation_in_words():
    context = (("sum_60s_usd", 3_140_000.0), ("count_60s", 7), ("reference_price", 60_000.0))

    assert plain_text(an_alert(context=context)).splitlines() == [
        "BTC long liquidated $1.25M on Binance",
        "BTCUSDT at $59,697.40 (average fill), 0.50 % below the mark price",
        "All longs in 60 s, every venue: at least $3.14M in 7 orders",
        "12x its threshold $100K, static",
        "2 of 3 able to report, not OKX",
        "P2, 2023-11-14 22:14:00 UTC, id abcdefghijkl",
    ]


def test_a_cascade_in_words():
    assert plain_text(a_cascade()).splitlines() == [
        "SOL cascade: longs, at least $2.4M in 42 s",
        "12 orders, first on Bybit; bursts agree on Binance and Bybit",
        "Binance at least $1.8M (9), Bybit $600K (3)",
        "Price $142.31, -0.84 % since the first order (up to 3.1 sigma a minute)",
        "19x its threshold $125K a minute, static: 5 x $25K",
        "2 of 3 able to report, not OKX",
        "P2, 2023-11-14 22:14:42 UTC, id abcdefghijkl",
    ]


def test_the_end_of_a_cascade_tells_totals_by_venue_duration_and_move():
    ended = a_cascade(stage=Stage.ENDED, latest_ms=T0 + 200_000, ended_ms=T0 + 200_000)

    lines = plain_text(ended).splitlines()

    assert lines[0] == "SOL cascade over: longs, at least $2.4M in 3 min 20 s"
    assert lines[2] == "Binance at least $1.8M (9), Bybit $600K (3)"
    assert lines[3].startswith("Price $142.31, -0.84 %")


def test_only_sums_with_a_capped_feed_are_at_least():
    assert plain_text(a_cascade(coverage=Coverage.COMPLETE)).startswith("SOL cascade: longs, $2.4M in 42 s")


@pytest.mark.parametrize("alert", [an_alert(), a_cascade()], ids=["liquidation", "cascade"])
def test_the_age_is_said_where_it_is_sent(alert):
    assert " ago" not in plain_text(alert)
    assert " UTC (0.4 s ago)," in plain_text(alert, age_ms=412)
    assert " UTC (31 s ago)," in plain_text(alert, age_ms=31_000)
    assert " UTC (3 min ago)," in plain_text(alert, age_ms=180_500)


@pytest.mark.parametrize("alert", [an_alert(), a_cascade()], ids=["liquidation", "cascade"])
def test_a_simulation_says_so_first(alert):
    assert plain_text(alert, heading="SIMULATION").startswith("SIMULATION ")
    assert telegram_html(alert, heading="SIMULATION").startswith("<b>SIMULATION ")


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30),
    st.sampled_from(PositionSide),
    st.floats(1, 1e12),
    st.sampled_from(Coverage),
    st.sampled_from([Stage.RAISED, Stage.ENDED]),
)
def test_forty_characters_carry_asset_kind_direction_and_size(asset, side, usd, coverage, stage):
    single = plain_text(an_alert(asset=asset, position_side=side, value=usd, coverage=coverage))[:SEEN_CHARS]
    cascade = plain_text(a_cascade(asset=asset, position_side=side, value=usd, coverage=coverage, stage=stage))[
        :SEEN_CHARS
    ]

    assert re.match(rf"\S+ {side} liquidated \$[\d.]+[KMBT]?( |$)", single)
    assert re.match(rf"\S+ cascade( over)?: {side}s, (at least |≥)?\$[\d.]+[KMBT]?( |$)", cascade)
    assert single[:4].rstrip("…")[:3] == asset[:3] + single[len(asset[:3]) : 3]
    assert cascade[: len(asset[:3])] == asset[:3]


@pytest.mark.parametrize("asset", ["BTC", "SOL", "DOGE"])
def test_a_simulation_still_shows_the_size_in_forty_characters(asset):
    assert "$2.4M" in plain_text(a_cascade(asset=asset), heading="SIMULATION")[:SEEN_CHARS]
    assert "$1.25M" in plain_text(an_alert(asset=asset), heading="SIMULATION")[:SEEN_CHARS]


@given(
    NAMES,
    NAMES,
    NAMES,
    NAMES,
    st.floats(allow_nan=True) | st.none(),
    st.sampled_from(["", "SIMULATION"]),
    st.integers(0, 10**9),
)
def test_whatever_a_venue_names_telegram_reads_what_the_terminal_shows(
    asset, venue, instrument, source, price, heading, age_ms
):
    shares = tuple(VenueShare(venue=venue, notional_usd=1.0, count=1, coverage=Coverage.CAPPED) for _ in range(9))
    named = {"asset": asset, "instrument": instrument, "threshold_source": source, "price": price, "alert_id": venue}
    for alert in (
        an_alert(**named, venue=venue, venues_configured=(venue,) * 9),
        a_cascade(**named, by_venue=shares, first_venue=venue, context=(("venues_agreeing", f"{venue}, {asset}"),)),
        an_alert(**named, kind=AlertKind.FEED_HEALTH, text=instrument * 3),
    ):
        html = telegram_html(alert, heading=heading, age_ms=age_ms)
        plain = plain_text(alert, heading=heading, age_ms=age_ms)

        assert telegram_reads(html).split() == plain.split()
        assert unescape(re.sub(r"</?(b|code)>", "", html)) == unescape(plain) or "&" in plain
        assert len(plain.split("\n")) <= MAX_LINES
        assert len(plain.encode("utf-16-le")) // 2 <= MAX_TEXT_CHARS


def test_only_the_first_line_and_the_id_are_marked():
    html = telegram_html(an_alert(asset="A&B", instrument="<i>"))

    assert html.startswith("<b>A&amp;B long liquidated $1.25M on Binance</b>\n&lt;i&gt; at ")
    assert html.endswith(", id <code>abcdefghijkl</code>")


def test_other_kinds_keep_the_words_of_their_detector():
    alert = an_alert(kind=AlertKind.FEED_HEALTH, text="OKX silent for 40 s\nLiquidations of OKX are missing")

    assert plain_text(alert).splitlines() == [
        "OKX silent for 40 s",
        "Liquidations of OKX are missing",
        "2 of 3 able to report, not OKX",
        "P2, 2023-11-14 22:14:00 UTC, id abcdefghijkl",
    ]


def test_what_is_not_known_yet_is_said():
    prices = [*(a_mark(at_ms, 140.0) for at_ms in range(-61_000, 0, 1_000)), a_mark(0, 130.0)]
    blind = of_kind(feed(a_detection(), a_burst()), AlertKind.CASCADE)[0]
    seeing = of_kind(feed(a_detection(), [*prices, *a_burst()]), AlertKind.CASCADE)[0]

    assert "price a minute before (move not checked, P2 at most)" in blind.text
    assert "Price move not known" in blind.text
    assert "usual move (0.1 % stands in)" in seeing.text
    assert len(blind.text.splitlines()) <= MAX_LINES
    assert len(seeing.text.splitlines()) <= MAX_LINES


def test_no_text_promises_or_advises():
    texts = "\n".join(plain_text(alert) for alert in (an_alert(), a_cascade(), a_cascade(stage=Stage.ENDED)))

    assert not re.search(
        r"likely|expect|soon|will|buy|sell|smart money|institution|minutes? ahead", texts, re.IGNORECASE
    )


def test_a_count_that_went_through_the_store_is_still_a_whole_number():
    stored = an_alert(context=(("sum_60s_usd", 3_140_000.0), ("count_60s", 7.0)))

    assert "in 7 orders" in plain_text(stored)


def test_a_lone_order_is_not_repeated_as_a_sum():
    assert "All longs" not in plain_text(an_alert(context=(("sum_60s_usd", 3_140_000.0), ("count_60s", 1))))


def test_how_such_alerts_have_done_stands_above_the_stamp():
    score = "A2 of such alerts, 30 d: 71 % [61-80], base 20 %, n=84"
    lines = plain_text(an_alert(), score=score).splitlines()

    assert lines[-2] == score
    assert lines[-1].endswith("id abcdefghijkl")
    assert telegram_html(an_alert(), score=score).splitlines()[-1].endswith("<code>abcdefghijkl</code>")
    long = an_alert(kind=AlertKind.VOLUME_SPIKE, position_side=None, text="\n".join("abcdefghij"))
    assert len(plain_text(long, score=score).splitlines()) == MAX_LINES
