from tests.telegram_stand.page import PAGE, page


def test_the_page_about_the_bot_is_what_the_bot_does_through_every_command_and_button():
    """`python -m tests.telegram_stand.page` writes the page anew."""
    told, talk = page()

    assert told == PAGE.read_text()
    assert talk.offered - talk.typed == set()
    assert set(talk.seen) == talk.pressed
