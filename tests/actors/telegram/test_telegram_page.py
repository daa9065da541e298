from tests.telegram_stand.page import PAGE, page


def test_the_page_about_the_bot_is_what_the_bot_does():
    """A conversation through every command and button; `python -m tests.telegram_stand.page` writes the page anew."""
    assert page() == PAGE.read_text()
