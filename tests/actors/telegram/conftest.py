import pytest

from tests.telegram_stand.bot import Bot
from tests.telegram_stand.stand import Stand


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def bot(stand, tmp_path):
    bot = Bot(stand, tmp_path)
    yield bot
    bot.theatre.close()
