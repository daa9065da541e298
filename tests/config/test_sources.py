"""Whatever somebody writes into a source, the answer is settings or a list of problems, never another error."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loading import ConfigError, load_settings
from config.schema import leaves
from config.settings import Settings
from config.sources import Given, Sources

KEYS = sorted(leaves(Settings))
NAMES = ["FORESHOCK_" + key.upper().replace(".", "__") for key in KEYS]
SHORT = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN_FILE", "AUTHORIZED_USERS", "OWNER_USERS", "ENABLE_AUTO_START"]
NOWHERE = Path("/nowhere")
toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(date(2026, 1, 1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def problems_of(**sources) -> tuple[str, ...]:
    try:
        load_settings(env_file=NOWHERE, **sources)
    except ConfigError as error:
        return error.problems
    return ()


@given(st.dictionaries(st.sampled_from(NAMES + SHORT) | st.text().map("FORESHOCK_".__add__), st.text(), max_size=4))
def test_any_text_in_the_environment_gives_settings_or_problems(environ):
    environ.pop("FORESHOCK_CONFIG", None)

    assert all(isinstance(problem, str) and problem for problem in problems_of(environ=environ))


@given(st.dictionaries(st.sampled_from(KEYS), toml_values, max_size=4))
def test_any_value_under_a_key_gives_settings_or_problems(overrides):
    assert all(isinstance(problem, str) and problem for problem in problems_of(environ={}, overrides=overrides))


@given(text=st.text())
def test_any_text_as_dotenv_gives_settings_or_problems(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any.env"
    file.write_text(text, encoding="utf-8")

    Sources(leaves(Settings), named={}, to_come=()).read_dotenv(file)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME=plain", "plain"),
        ("NAME='one two'", "one two"),
        ('NAME="a#b" # said', "a#b"),
        ("# NAME=x\nNAME=", ""),
        ("NAME=${HOME}", "${HOME}"),
    ],
)
def test_dotenv_is_read_the_usual_way_without_filling_in_variables(tmp_path, line, value):
    file = tmp_path / ".env"
    file.write_text(line)

    assert Sources({}, named={}, to_come=()).read_dotenv(file) == {"NAME": value}


def test_later_value_replaces_an_earlier_one_with_its_origin():
    sources = Sources({"a.b": int}, named={}, to_come=())

    sources.add("a.b", Given(1, "first"))
    sources.add("a.b", Given(2, "second"))

    assert sources.given == {"a.b": Given(2, "second")}
    assert sources.problems == []
