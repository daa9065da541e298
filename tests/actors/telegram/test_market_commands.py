import json
import threading

import pytest

from actors import paths
from actors.messages.market import LiquidationsSeen, MarksSeen, OpenInterestSeen, TradesSeen
from actors.telegram.market import ASK_S
from tests.intelligence.builders import VENUES, a_liquidation, a_mark, an_open_interest
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, STRANGER

ASSET_PAGES = ("price", "volume", "cvd", "oi", "profile", "liquidations", "funding")


def buttons(call):
    """What each button of a message gives, by row."""
    return [[one["callback_data"] for one in row] for row in json.loads(call.fields["reply_markup"])["inline_keyboard"]]


def traded(now_ms, asset="SOL"):
    return TradesSeen(asset=asset, venue="bybit", received_ms=now_ms, times_ms=[now_ms], prices=[140.0], coins=[100.0])


def liquidated(now_ms, asset="SOL", usd=30_000.0):
    event = a_liquidation(usd=usd, asset=asset)
    event = type(event)(
        **{name: getattr(event, name) for name in event.__struct_fields__}
        | {"exchange_ms": now_ms, "received_ms": now_ms}
    )
    return LiquidationsSeen(asset=asset, events=(event,), able=VENUES, configured=VENUES, after_reconnect=False)


@pytest.fixture
def solana(bot):
    """A bot beside a stream of SOL that has heard a little of everything."""
    bot.dispatcher()
    now_ms = bot.theatre.clock.now_ms()
    ages = {"exchange_ms": now_ms, "received_ms": now_ms}
    bot.stream(
        "SOL",
        MarksSeen(mark=a_mark(funding_rate=0.0001, next_funding_ms=now_ms + 3_600_000, **ages)),
        OpenInterestSeen(record=an_open_interest(**ages)),
        traded(now_ms),
        liquidated(now_ms),
    )
    return bot.open()


@pytest.mark.parametrize("page", ASSET_PAGES)
def test_every_page_answers_from_memory_in_html_that_telegram_takes(solana, page):
    answer = solana.stand.answers(f"/{page} SOL")

    assert answer.startswith("<b>SOL ")
    assert "Updated " in answer
    assert "not known" not in answer.splitlines()[0] or page == "oi"


@pytest.mark.parametrize("word", ["sol", "SOL/USDT", "SOLUSDT", "$sol", "sol-perp", "1000sol"])
def test_an_asset_is_found_however_it_is_written(solana, word):
    assert solana.stand.answers(f"/price {word}").startswith("<b>SOL $140.00</b>")


def test_a_slip_of_the_finger_brings_what_may_be_meant_as_a_button(solana):
    assert solana.stand.answers("/price SLO") == "SLO is not watched. Is it SOL?"
    assert buttons(solana.stand.sent()[-1]) == [["price SOL"]]


def test_an_unknown_asset_is_escaped(solana):
    assert solana.stand.answers("/price <i>&9") == "&lt;i&gt;&amp;9 is not watched."


def test_without_an_asset_the_usual_ones_are_on_buttons(solana):
    assert "Which asset" in solana.stand.answers("/oi")
    assert buttons(solana.stand.sent()[-1]) == [["oi BTC", "oi ETH", "oi SOL"]]


def test_liquidations_without_an_asset_are_those_of_the_market(solana):
    answer = solana.stand.answers("/liquidations 1h")

    assert answer.startswith("<b>Liquidated in 1 h: $30K in 1 asset</b>")
    assert "SOL" in answer


def test_a_period_is_a_button_that_changes_the_message_in_place(solana):
    solana.stand.answers("/liquidations SOL")
    assert buttons(solana.stand.sent()[-1]) == [
        [f"liquidations SOL {word}" for word in ("5m", "15m", "1h", "4h", "1d")],
        ["liquidations SOL", "chart liquidations SOL"],
    ]

    assert solana.stand.presses("liquidations SOL 4h") == ""

    (edit,) = wait_for(solana.stand.edits)
    assert edit.text.startswith("<b>SOL liquidated in 4 h")
    assert len(solana.stand.sent()) == 1


def test_a_refresh_keeps_the_period(solana):
    solana.stand.answers("/oi SOL 4h")

    assert buttons(solana.stand.sent()[-1])[-1] == ["oi SOL 4h", "chart oi SOL 4h"]


def test_an_asset_of_which_nothing_was_heard_gets_words_and_no_stream(bot):
    bot.dispatcher().open(assets=("BTC",))

    assert bot.stand.answers("/price BTC") == "Nothing can be said of BTC now. Try again in a few seconds."
    assert bot.theatre.system.find(paths.symbol_path("BTC")) is None


def test_a_stream_that_hangs_costs_its_own_answer_alone(solana, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr("intelligence.asset_market.AssetMarket.view", lambda *_: held.wait(10))
    solana.stand.say("/price SOL")
    assert "/alerts" in solana.stand.answers("/help", chat=GROUP, user=ME)
    assert ASK_S < 1

    answer = solana.stand.wait_sent(1, ME)[0].text
    held.set()
    assert answer == "Nothing can be said of SOL now. Try again in a few seconds."


def test_a_page_that_fails_costs_its_answer_and_not_the_stream(solana, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("intelligence.asset_market.AssetMarket.view", fail)

    assert "Nothing can be said" in solana.stand.answers("/price SOL")
    assert solana.theatre.exits == []


def test_strangers_get_nothing_by_buttons_either(solana):
    assert solana.stand.presses("price SOL", chat=STRANGER, message_id=1) == f"user id: {STRANGER}"
    assert solana.stand.edits() == []


def test_in_a_group_of_ours_everybody_may_press_for_an_answer(solana):
    solana.stand.answers("/price SOL", chat=GROUP, user=STRANGER)

    assert solana.stand.presses("price SOL 1h", chat=GROUP, user=STRANGER) == ""


def test_a_button_pressed_twice_changes_its_message_once(solana):
    solana.stand.answers("/price SOL")
    message_id = solana.stand.sent()[-1].result["message_id"]
    solana.stand.press("price SOL 4h", message_id=message_id)
    solana.stand.presses("price SOL 4h", message_id=message_id)
    wait_for(solana.stand.edits)
    solana.silent()

    assert len(solana.stand.edits()) == 1


def test_whoever_asks_too_often_is_told_once_and_then_waits(bot):
    bot.dispatcher().open(commands_per_minute=2)
    bot.stand.answers("/help")
    bot.stand.answers("/help")

    assert bot.stand.answers("/help").startswith("Too many commands. Go on in ")
    bot.stand.say("/help")
    bot.stand.say("/start", chat=GROUP, user=STRANGER)
    bot.stand.wait_sent(1, GROUP)
    assert len(bot.stand.sent(ME)) == 3
