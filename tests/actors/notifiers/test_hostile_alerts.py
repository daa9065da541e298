"""Whatever things are called, Telegram's own parser takes every alert, edit, digest and picture of ours."""

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.notifiers import texts
from actors.notifiers.buttons import MAX_DATA_BYTES, alert_buttons
from actors.notifiers.telegram import TelegramNotifier
from actors.outbox import Outbox
from actors.outbox_rows import Planned, telegram_target
from intelligence.alerts import AlertKind, Stage
from intelligence.digest import Told, digest_text
from tests.intelligence.builders import an_alert
from tests.telegram_stand import tdlib
from tests.telegram_stand.bot import RULES
from tests.telegram_stand.hostile import DECODED, alerts_named
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME, Stand, telegram_settings

each_hostile = pytest.mark.parametrize("word", DECODED.values(), ids=DECODED.keys())
MAX_UNITS = 4_096


def judged(html):
    """How long Telegram finds a text with marks, which it must be able to read."""
    verdict = tdlib.parse(html, "HTML")
    assert verdict.error == "", html[:200]
    assert verdict.plain.strip()
    return verdict.units


@each_hostile
@pytest.mark.parametrize("stage", Stage)
def test_alerts_of_every_family_are_read_with_all_that_stands_beside_them(word, stage):
    for alert in alerts_named(word, stage):
        beside = {"heading": "SIMULATION", "age_ms": 600_000, "instance": word[:50], "score": "A2 <b>&"}

        assert judged(texts.html(alert, **beside)) <= MAX_UNITS
        assert tdlib.parse(texts.plain(alert, **beside), None).error == ""


@each_hostile
def test_the_bare_facts_that_stand_in_for_a_broken_template_are_read(word, monkeypatch):
    monkeypatch.setattr(texts, "telegram_html", None)
    for alert in alerts_named(word):
        judged(texts.html(alert, heading="", instance=word))


@each_hostile
def test_buttons_of_an_alert_carry_what_telegram_takes(word):
    rows = [row for alert in alerts_named(word) for row in (alert_buttons(alert) or {}).get("inline_keyboard", ())]

    assert all(len(one["callback_data"].encode()) <= MAX_DATA_BYTES for row in rows for one in row)


@each_hostile
def test_a_digest_of_such_alerts_is_read(word):
    day = [Told(alert, held) for alert in alerts_named(word) for held in ("", "budget", f"inhibited:{word}", word)]

    judged(texts.html(an_alert(kind=AlertKind.NOTICE, text=digest_text(day, "Asia/Kolkata")), heading=""))


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def theatre():
    theatre = Theatre()
    yield theatre
    theatre.close()


def test_telegram_takes_every_family_and_its_end_as_they_are_sent(stand, theatre, tmp_path):
    outbox, database = Outbox(tmp_path / "foreshock.db", 1), tmp_path / "foreshock.db"
    now_ms = theatre.clock.now_ms()
    for number, word in enumerate(DECODED.values()):
        for stage in (Stage.RAISED, Stage.ENDED):
            for kind, alert in zip(AlertKind, alerts_named(word, stage), strict=True):
                named = msgspec.structs.replace(alert, alert_id=f"{number}-{kind}")
                outbox.append(named, [Planned(target=telegram_target(ME), stage=stage)], now_ms)

    with capture_logs() as logged:
        settings = telegram_settings(stand, private_gap_s=0.0001)
        theatre.start(paths.TELEGRAM, TelegramNotifier, database=database, telegram=settings, outbox=RULES)
        wait_for(lambda: not outbox.deliveries.waiting("telegram:"), "all to be sent", 30)
    outbox.close()

    assert {call.status for call in (*stand.calls(), *stand.calls("editMessageText"))} == {200}
    assert {line["event"] for line in logged} <= {"alert_delivered"}
