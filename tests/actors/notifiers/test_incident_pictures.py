"""A picture follows the text of an incident, and nothing that happens to it touches a text."""

from dataclasses import replace

import pytest

from actors import paths
from actors.charts import Charts
from actors.messages.alerts import AlertDelivered, ChatCharged, DeliveriesQueued
from actors.messages.pictures import TapeTold
from actors.notifiers.incident_pictures import IncidentPictures
from actors.notifiers.queues import Pace, Queues
from actors.notifiers.telegram import TelegramNotifier
from actors.outbox import Outbox
from actors.outbox_rows import Planned, telegram_target
from actors.supervised import Supervised
from config.settings import Outbox as OutboxSettings
from intelligence.alerts import AlertKind, Severity, Stage
from tests.actors.test_charts import HANGS, TALKS_NONSENSE
from tests.charts.samples import NOW_MS, a_packed_tape, an_incident
from tests.telegram_stand import proxy
from tests.telegram_stand.bot import PICTURES
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, OTHER, Stand, telegram_settings

RULES = OutboxSettings(reread_s=60, busy_s=1, keep_days=7, p1_valid_s=600, p2_valid_s=600, p3_valid_s=600)


class Stream(Supervised):
    """Stands for the symbol stream of BTC: tells its tape to whoever wants it."""

    def init(self, *, silent=False):
        self.silent = silent

    def handle(self, message):
        if not self.silent:
            self.send(message.path, TapeTold(tape=a_packed_tape(message.period_s), key=message.key))


class Post:
    """A notifier with its outbox, who adds pictures, and who draws them; the stand plays Telegram."""

    def __init__(self, stand, database):
        self.stand, self.database = stand, database
        self.theatre = Theatre()
        self.outbox = Outbox(database, 1)

    def open(self, *, charts=PICTURES, command=(), silent=False, stream=True, **settings):
        telegram = telegram_settings(self.stand, **settings)
        start = self.theatre.start
        if stream:
            start(paths.symbol_path("BTC"), Stream, silent=silent)
        start(paths.CHARTS, Charts, settings=charts, command=command)
        start(paths.INCIDENT_PICTURES, IncidentPictures, telegram=telegram, charts=charts, heading="SIMULATION")
        start(
            paths.TELEGRAM,
            TelegramNotifier,
            database=self.database,
            telegram=telegram,
            outbox=RULES,
            pictures=paths.INCIDENT_PICTURES,
        )
        return self

    def raise_alert(self, *alerts, chats=(ME,)):
        now_ms = self.theatre.clock.now_ms()
        for alert in alerts:
            self.outbox.append(alert, [Planned(target=telegram_target(c), stage=alert.stage) for c in chats], now_ms)
        self.theatre.tell(paths.TELEGRAM, DeliveriesQueued())

    def incident(self, kind=AlertKind.CASCADE, **values):
        now_ms = self.theatre.clock.now_ms()
        return an_incident(kind, exchange_ms=now_ms, detected_ms=now_ms, text="BTC cascade", **values)

    def photos(self, chat=None):
        return self.stand.calls("sendPhoto", chat)

    def settled(self):
        """Wait until everybody has handled everything."""
        for path in (paths.TELEGRAM, paths.INCIDENT_PICTURES, paths.symbol_path("BTC"), paths.INCIDENT_PICTURES):
            self.theatre.quiet(path)
        self.theatre.quiet(paths.CHARTS)
        self.theatre.quiet(paths.INCIDENT_PICTURES)

    def close(self):
        self.theatre.close()
        self.outbox.close()


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def post(stand, tmp_path):
    post = Post(stand, tmp_path / "foreshock.db")
    yield post
    post.close()


def photo(post, chat=ME):
    return wait_for(lambda: post.photos(chat), "the picture")[0]


@pytest.mark.parametrize(
    "kind", [AlertKind.CASCADE, AlertKind.OPEN_INTEREST, AlertKind.VOLUME_SPIKE, AlertKind.MARKET_WIDE]
)
def test_a_picture_answers_the_text_of_an_incident(post, stand, kind):
    post.open().raise_alert(post.incident(kind))

    sent = photo(post)
    (text,) = stand.sent(ME)

    assert text.at_s < sent.at_s
    assert str(text.result["message_id"]) in sent.fields["reply_parameters"]
    assert sent.files["photo"].startswith(b"\x89PNG")
    assert sent.fields["caption"].startswith("SIMULATION BTC")


def test_a_long_name_does_not_cost_the_picture(post, monkeypatch):
    monkeypatch.setattr("actors.notifiers.incident_pictures.MAX_CAPTION_UNITS", 20)
    post.open().raise_alert(post.incident())

    assert photo(post).fields["caption"] == "SIMULATION BTC: pri…"


def test_a_picture_makes_no_sound(post):
    post.open().raise_alert(post.incident())

    assert photo(post).fields["disable_notification"] == "true"


def test_one_picture_is_uploaded_once_for_all_chats(post):
    post.open().raise_alert(post.incident(), chats=(ME, OTHER, GROUP))

    first, *others = sorted((photo(post, chat) for chat in (ME, OTHER, GROUP)), key=lambda call: call.at_s)

    assert first.files["photo"].startswith(b"\x89PNG")
    uploaded = wait_for(lambda: first.result)["photo"][-1]["file_id"]
    assert [(call.files, call.fields["photo"]) for call in others] == [({}, uploaded)] * 2


def test_a_picture_that_telegram_does_not_know_any_more_is_uploaded_again(post, stand):
    wrong = proxy.refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
    stand.fail(method="sendPhoto", chat=OTHER, answer=wrong)
    post.open().raise_alert(post.incident(), chats=(ME, OTHER))

    named, uploaded = wait_for(lambda: len(got := post.photos(OTHER)) == 2 and got, "another upload")

    assert (bool(named.files), bool(uploaded.files)) == (False, True)


@pytest.mark.parametrize(
    "values", [{"severity": Severity.P3}, {"kind": AlertKind.LIQUIDATION}, {"stage": Stage.ENDED, "ended_ms": NOW_MS}]
)
def test_what_is_not_the_start_of_a_grave_incident_gets_no_picture(post, stand, values):
    post.open().raise_alert(post.incident(**values))
    if values.get("stage") is not Stage.ENDED:
        stand.wait_sent(1)
    post.settled()

    assert post.photos() == []


def test_an_alert_that_arrives_late_gets_no_picture(post, stand):
    now_ms = post.theatre.clock.now_ms()
    post.open().raise_alert(an_incident(exchange_ms=now_ms - 90_000, detected_ms=now_ms - 90_000, text="late"))
    stand.wait_sent(1)
    post.settled()

    assert post.photos() == []


@pytest.mark.parametrize("command", [HANGS, TALKS_NONSENSE])
def test_a_process_that_cannot_draw_costs_the_picture_and_no_text(post, stand, command):
    post.open(charts=replace(PICTURES, hang_s=0.2), command=command)
    post.raise_alert(post.incident(alert_id="a"), post.incident(alert_id="b"))

    assert len(stand.wait_sent(2)) == 2
    post.settled()
    assert post.photos() == []
    assert post.theatre.exits == []


def test_a_stream_that_does_not_answer_costs_the_picture_alone(post, stand):
    post.open(silent=True).raise_alert(post.incident())

    stand.wait_sent(1)
    post.settled()
    assert post.photos() == []


def test_an_asset_without_a_stream_has_none_started_for_a_picture(post, stand):
    post.open(stream=False).raise_alert(post.incident())
    stand.wait_sent(1)
    for path in (paths.TELEGRAM, paths.INCIDENT_PICTURES):
        post.theatre.quiet(path)

    assert post.theatre.system.find(paths.symbol_path("BTC")) is None


def test_a_picture_that_telegram_keeps_waiting_delays_no_text(post, stand):
    release = stand.hold(method="sendPhoto")
    post.open(private_gap_s=0.0).raise_alert(post.incident(alert_id="a"))
    photo(post)

    post.raise_alert(post.incident(alert_id="b"))

    assert len(stand.wait_sent(2)) == 2
    release()


@pytest.mark.parametrize(
    "answer", [proxy.refusal(400, "Bad Request: message is too long"), proxy.refusal(413, "Request Entity Too Large")]
)
def test_a_picture_that_is_refused_is_not_sent_again(post, stand, answer):
    stand.fail(method="sendPhoto", answer=answer)
    post.open().raise_alert(post.incident())
    photo(post)
    post.settled()

    assert len(post.photos()) == 1


def test_a_wait_that_telegram_asks_of_a_picture_is_told_to_the_notifier(post, stand):
    stand.fail(method="sendPhoto", answer=proxy.flood(30))
    told = post.theatre.record(paths.TELEGRAM)
    telegram, start = telegram_settings(stand), post.theatre.start
    start(paths.symbol_path("BTC"), Stream)
    start(paths.CHARTS, Charts, settings=PICTURES)
    start(paths.INCIDENT_PICTURES, IncidentPictures, telegram=telegram, charts=PICTURES)
    delivered = AlertDelivered(alert=post.incident(), chat_id=ME, send_to=ME, message_id=1)

    post.theatre.tell(paths.INCIDENT_PICTURES, delivered)

    wait_for(lambda: told, "the charge")
    assert told == [ChatCharged(chat_id=ME, wait_s=30.0)]


def test_no_picture_is_offered_while_other_incidents_wait_to_be_told(post, stand):
    post.open(private_gap_s=0.3).raise_alert(*(post.incident(alert_id=one) for one in "abc"))
    stand.wait_sent(3)
    sent = photo(post)
    post.settled()

    assert [call.fields["reply_parameters"] for call in post.photos()] == [sent.fields["reply_parameters"]]
    assert str(stand.sent(ME)[-1].result["message_id"]) in sent.fields["reply_parameters"]


# -- pacing -----------------------------------------------------------------------------------------------------------


def a_pace():
    return Pace(private_gap_s=1.0, group_gap_s=3.0, overall_per_s=10.0)


@pytest.mark.parametrize(("chat", "free_s"), [(ME, 102.0), (GROUP, 106.0)])
def test_a_picture_counts_as_a_message(chat, free_s):
    pace = a_pace()
    pace.spent(chat, 100.0, 100.0)

    pace.charge(chat, 100.2)

    assert pace.free_s(chat) == free_s


def test_a_picture_counts_over_all_chats():
    pace = a_pace()

    pace.charge(ME, 100.0)

    assert pace.free_s(OTHER) == 100.1


def test_a_chat_without_letters_has_nothing_urgent():
    assert not Queues().urgent(ME)
