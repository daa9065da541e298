"""Pictures on demand: a photo for /chart and for a page's button, changed in place by its own buttons."""

import json
import sys

import pytest

from actors.messages.market import TradesSeen
from actors.telegram.chart_commands import NAMES
from tests.telegram_stand import proxy
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME, STRANGER

PNG = b"\x89PNG"
DIES = (sys.executable, "-c", "raise SystemExit")
KINDS = ("price", "cvd", "oi", "profile", "liquidations")


@pytest.fixture
def solana(bot):
    """A bot beside a stream of SOL that has heard a trade."""
    bot.dispatcher()
    now_ms = bot.theatre.clock.now_ms()
    trade = TradesSeen(asset="SOL", venue="bybit", received_ms=now_ms, times_ms=[now_ms], prices=[140.0], coins=[100.0])
    return bot.stream("SOL", trade).open()


def photos(bot, count=1, method="sendPhoto"):
    return wait_for(lambda: len(got := bot.stand.calls(method)) >= count and got, f"{count} of {method}", 20)


def buttons(call):
    rows = json.loads(call.fields["reply_markup"])["inline_keyboard"]
    return [one["callback_data"] for row in rows for one in row]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_a_photo_with_a_caption(solana, kind):
    solana.charts().stand.say(f"/chart {kind} SOL")

    (call,) = photos(solana)
    assert call.files
    assert next(iter(call.files.values())).startswith(PNG)
    assert call.fields["caption"].startswith(f"<b>SOL {NAMES[kind]}, ")


def test_a_picture_without_a_kind_is_of_the_price(solana):
    solana.charts().stand.say("/chart sol")

    assert photos(solana)[0].fields["caption"].startswith("<b>SOL price, 4 h</b>")


def test_a_chat_with_a_zone_of_its_own_gets_a_picture(solana):
    solana.stand.answers("/timezone Asia/Kolkata")
    solana.charts().stand.say("/chart SOL")

    assert photos(solana)


def test_the_chat_sees_that_a_picture_is_on_its_way(solana):
    solana.charts().stand.say("/chart SOL")

    assert photos(solana, method="sendChatAction")[0].fields["action"] == "upload_photo"


@pytest.mark.parametrize("page", KINDS)
def test_a_page_has_a_button_that_brings_its_picture(solana, page):
    solana.charts().stand.answers(f"/{page} SOL")

    (data,) = [one for one in buttons(solana.stand.sent(ME)[-1]) if one.startswith("chart ")]
    solana.stand.press(data)

    assert photos(solana)[0].fields["caption"].startswith(f"<b>SOL {NAMES[page]}, ")


def test_the_button_keeps_the_period_of_its_page(solana):
    solana.stand.answers("/cvd SOL 1h")

    assert "chart cvd SOL 1h" in buttons(solana.stand.sent(ME)[-1])


def test_a_page_without_a_picture_has_no_button_for_one(solana):
    solana.stand.answers("/funding SOL")

    assert not any(one.startswith("chart ") for one in buttons(solana.stand.sent(ME)[-1]))


def test_the_buttons_of_a_picture_change_it_in_place(solana):
    solana.charts().stand.say("/chart SOL")
    photo = photos(solana)[0]
    wait_for(lambda: photo.result, "the photo")

    solana.stand.press("chart cvd SOL 1h", photo=photo)

    (edit,) = photos(solana, method="editMessageMedia")
    assert int(edit.fields["message_id"]) == photo.result["message_id"]
    assert "SOL CVD, 1 h" in edit.fields["media"]
    assert len(solana.stand.calls("sendPhoto")) == 1


def test_a_picture_that_is_gone_is_sent_anew(solana):
    solana.charts().stand.fail(
        method="editMessageMedia", answer=proxy.refusal(400, "Bad Request: message to edit not found")
    )
    solana.stand.say("/chart SOL")
    photo = photos(solana)[0]
    wait_for(lambda: photo.result, "the photo")

    solana.stand.press("chart SOL 1h", photo=photo)

    assert len(photos(solana, 2)) == 2


def test_the_same_picture_twice_is_drawn_once(solana):
    solana.charts()
    solana.stand.say("/chart SOL")
    photos(solana)
    solana.stand.say("/chart SOL")

    first, second = ({*call.files.values()} for call in photos(solana, 2))
    assert first == second


def test_periods_are_held_within_what_is_known(solana):
    solana.charts().stand.say("/chart SOL 7d")

    assert photos(solana)[0].fields["caption"].startswith("<b>SOL price, 1 d</b>")


def test_an_asset_that_is_not_watched_is_refused_with_what_may_be_meant(solana):
    assert solana.stand.answers("/chart oi SOLL").startswith("SOLL is not watched. Is it SOL?")
    assert buttons(solana.stand.sent(ME)[-1]) == ["chart oi SOL"]


def test_without_anybody_who_draws_the_bot_says_so(solana):
    assert solana.stand.answers("/chart SOL") == "No picture: what draws pictures is not there."


def test_a_process_that_dies_costs_the_picture_and_is_told(solana):
    solana.charts(command=DIES)

    assert solana.stand.answers("/chart SOL").startswith("No picture: ")
    assert solana.stand.answers("/price SOL").startswith("<b>SOL ")


def test_strangers_get_no_picture(solana):
    solana.charts().stand.say("/chart SOL", chat=STRANGER)
    solana.silent()

    assert solana.stand.calls("sendPhoto") == []
