"""Every picture can be read: it has its size, shows something, and its words stand inside and beside each other."""

import io
import itertools

import msgspec
import pytest
from PIL import Image

from charts.drawing import HEIGHT, INCIDENT_HEIGHT, WIDTH, draw, draw_on_canvas
from charts.requests import ChartKind, ChartRequest, Line, Theme
from intelligence.alerts import AlertKind
from intelligence.answers.layout import venue
from tests.charts.samples import a_request, an_incident_request

EVERY = list(itertools.product(ChartKind, Theme))
PICTURED = (AlertKind.OPEN_INTEREST, AlertKind.VOLUME_SPIKE, AlertKind.MARKET_WIDE)
PHONE = 390  # points across
READABLE = 8.5  # of them, the height of the smallest letters' line


def bare(kind, **values):
    """A request of which nothing is known but its frame."""
    full = a_request(kind)
    return ChartRequest(
        kind=kind,
        title=full.title,
        subtitle=full.subtitle,
        from_ms=full.from_ms,
        until_ms=full.until_ms,
        step_ms=full.step_ms,
        **values,
    )


@pytest.mark.parametrize(("kind", "theme"), EVERY)
def test_picture_has_its_size_and_is_not_blank(kind, theme):
    picture = Image.open(io.BytesIO(draw(a_request(kind, theme))))

    assert picture.format == "PNG"
    assert picture.size == (WIDTH, INCIDENT_HEIGHT if kind is ChartKind.INCIDENT else HEIGHT)
    colors = picture.convert("RGB").getcolors(WIDTH * INCIDENT_HEIGHT)
    assert max(count for count, _ in colors) < 0.9 * picture.width * picture.height


@pytest.mark.parametrize("kind", ChartKind)
def test_picture_is_small_enough_for_a_slow_line(kind):
    assert len(draw(a_request(kind))) < 120_000


@pytest.mark.parametrize("kind", ChartKind)
@pytest.mark.parametrize("price", [59_800.0, 0.0000071, 1.0])
def test_words_stand_inside_the_picture(kind, price):
    canvas = draw_on_canvas(a_request(kind, price=price))

    outside = [
        text
        for box, text in canvas.written
        if box.left < 0 or box.top < 0 or box.right > canvas.width or box.bottom > canvas.height
    ]
    assert outside == []


@pytest.mark.parametrize("request_", [*map(a_request, ChartKind), *map(an_incident_request, PICTURED)])
def test_words_do_not_cover_each_other(request_):
    written = draw_on_canvas(request_).written

    covered = [
        (text, other)
        for (a, text), (b, other) in itertools.combinations(written, 2)
        if min(a.right, b.right) - max(a.left, b.left) > 1 and min(a.bottom, b.bottom) - max(a.top, b.top) > 1
    ]
    assert covered == []


@pytest.mark.parametrize("kind", ChartKind)
def test_words_that_are_too_long_are_cut(kind):
    request = msgspec.structs.replace(a_request(kind), title="T" * 300, subtitle="s" * 500, notes=("n" * 500,))
    canvas = draw_on_canvas(request)

    assert all(box.left >= 0 and box.right <= canvas.width for box, _ in canvas.written)


@pytest.mark.parametrize("kind", ChartKind)
def test_picture_says_asset_time_and_zone(kind):
    words = [text for _, text in draw_on_canvas(a_request(kind)).written]

    assert any("BTC" in text for text in words)
    assert "13 Jan 13:42:18 UTC" in words


def test_time_is_told_in_the_zone_of_the_chat():
    request = msgspec.structs.replace(a_request(ChartKind.CANDLES), zone="Asia/Kolkata")
    words = [text for _, text in draw_on_canvas(request).written]

    assert "13 Jan 19:12:18 IST" in words
    assert "19:00" in words


@pytest.mark.parametrize("kind", ChartKind)
def test_what_is_not_known_is_said_to_be_missing(kind):
    words = [text for _, text in draw_on_canvas(bare(kind)).written]

    assert any(text.startswith("no ") for text in words)


def test_volume_profile_names_poc_and_both_edges_of_the_value_area():
    words = " ".join(text for _, text in draw_on_canvas(a_request(ChartKind.PROFILE)).written)

    assert all(name in words for name in ("POC", "VAH", "VAL"))


def test_every_venue_is_named_at_the_end_of_its_line():
    request = a_request(ChartKind.OPEN_INTEREST)
    words = [text for _, text in draw_on_canvas(request).written]

    assert {f"{venue(line.name)} {line.label}" for line in request.lines} <= set(words)


def test_incident_shows_the_line_that_was_crossed():
    words = [text for _, text in draw_on_canvas(a_request(ChartKind.INCIDENT)).written]

    assert "threshold $500K in 1 min" in words


@pytest.mark.parametrize(
    ("kind", "words"),
    [(AlertKind.VOLUME_SPIKE, "threshold $60M"), (AlertKind.MARKET_WIDE, "threshold 8 assets")],
)
def test_what_an_incident_is_judged_by_has_a_panel_with_its_threshold(kind, words):
    assert words in [text for _, text in draw_on_canvas(an_incident_request(kind)).written]


def test_flat_lines_can_be_drawn():
    flat = (Line(name="binance", label="+0.00 %", points=((0, 0.0), (60_000, 0.0))),)

    assert draw(bare(ChartKind.OPEN_INTEREST, lines=flat))


@pytest.mark.parametrize("theme", Theme)
def test_shades_of_the_heat_map_differ_without_colour(theme):
    from charts.palette import PALETTES

    grey = [0.3 * red + 0.59 * green + 0.11 * blue for red, green, blue in PALETTES[theme].heat]

    assert all(abs(a - b) > 12 for a, b in itertools.pairwise(grey))
    assert grey == sorted(grey, reverse=theme is Theme.LIGHT)
