"""The command side of the bot with a real dispatcher behind it, on the stand."""

from actors import paths
from actors.charts import Charts
from actors.dispatcher import Dispatcher
from actors.messages.chats import AskAlerts
from actors.symbol_stream import SymbolStream
from actors.telegram import answers
from actors.telegram.commands import Files, TelegramCommands
from actors.telegram.daemon_commands import About
from config.settings import Charts as ChartSettings
from config.settings import Outbox as OutboxSettings
from intelligence.detectors.asset import DetectionRules
from intelligence.detectors.market_wide import MarketWideRule
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, telegram_settings

RULES = OutboxSettings(reread_s=60, busy_s=0.1, keep_days=7, p1_valid_s=60, p2_valid_s=60, p3_valid_s=60)


PICTURES = ChartSettings(
    theme="dark",
    wait_s=20.0,
    start_s=20.0,
    hang_s=20.0,
    memory_bytes=268_435_456,
    cache_s=5.0,
    cache_pictures=4,
    incidents=True,
    incident_age_s=60.0,
)


class Bot:
    """The command side with a real dispatcher behind it, on the stand."""

    def __init__(self, stand, folder, *, recorded=True, clock=None):
        """`recorded`: a recorder stands where the sender would."""
        self.stand, self.folder = stand, folder
        self.theatre = Theatre(clock)
        self.told_sender = self.theatre.record(paths.TELEGRAM) if recorded else []
        self.database = folder / "foreshock.db"

    def dispatcher(self, **overrides):
        self.theatre.start(
            paths.DISPATCHER,
            Dispatcher,
            database=self.database,
            outbox=RULES,
            chats=(ME, GROUP),
            notifiers=(paths.TELEGRAM,),
            market_wide=MarketWideRule(),
            watched=5,
            **overrides,
        )
        return self

    def open(self, *, heading="", wait=True, assets=(), **settings):
        self.theatre.start(
            paths.COMMANDS,
            TelegramCommands,
            telegram=telegram_settings(self.stand, **settings),
            files=Files(self.folder, self.database, self.folder / "near_misses.db", self.folder / "outcomes.db"),
            about=About(("binance", "okx"), ("Venues: binance, okx",)),
            charts=PICTURES,
            assets=assets,
            heading=heading,
        )
        if wait:
            self.polling()
        return self

    def stream(self, asset, *letters):
        """Start the stream of an asset and let it handle these."""
        path = paths.symbol_path(asset)
        self.theatre.start(path, SymbolStream, child_id=path.rpartition("/")[2], rules=DetectionRules())
        for letter in letters:
            self.theatre.tell(path, letter)
        return self

    def commands(self):
        """The commands of the bot, as it is open."""
        return tuple(self.theatre.system.ledger[paths.COMMANDS].actor._poller._handlers._commands.values())

    def charts(self, **settings):
        self.theatre.start(paths.CHARTS, Charts, settings=PICTURES, **settings)
        return self

    def polling(self):
        wait_for(lambda: self.note == "polling", "the bot to poll")

    @property
    def note(self):
        return self.theatre.system.place(paths.COMMANDS).vitals.note

    def silent(self):
        """Wait until the bot has certainly seen everything said so far, by an answer to something else."""
        self.stand.say("/help", chat=ME)
        wait_for(lambda: [call for call in self.stand.sent(ME) if call.text.startswith(answers.ABOUT)])

    def is_on(self, chat=ME):
        return self.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=chat)).on
