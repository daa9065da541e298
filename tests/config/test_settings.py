from pathlib import Path

import pytest

from actors.exchanges.registry import EXCHANGES
from config.loading import ConfigError, Loaded, load_settings
from config.schema import leaves
from config.settings import Settings, secrets
from config.values import Secret, expected, is_table
from intelligence.detectors.asset import DetectionRules

DEFAULTS = Path("config/default.toml")
TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"


@pytest.fixture
def load(tmp_path):
    """Load with this environment, and these texts as the settings file and as `.env`."""

    def with_these(environ: dict[str, str] | None = None, toml: str = "", dotenv: str = "", **kwargs) -> Loaded:
        (tmp_path / ".env").write_text(dotenv)
        (tmp_path / "mine.toml").write_text(toml)
        return load_settings(
            config=tmp_path / "mine.toml" if toml else None,
            environ=environ or {},
            env_file=tmp_path / ".env",
            **kwargs,
        )

    return with_these


@pytest.fixture
def problems(load):
    """The problems that loading these finds."""

    def of(*args, **kwargs) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            load(*args, **kwargs)
        return caught.value.problems

    return of


def test_default_file_sets_every_key_but_the_secret(load):
    loaded = load()

    plain_keys = {key for key, kind in leaves(Settings).items() if not key.endswith(".token") and not is_table(kind)}
    assert plain_keys <= set(loaded.origins)
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.settings.telegram.token == Secret("")


def test_default_file_says_what_each_key_means():
    """Beside the key, or in the comment above it or above its section."""
    blocks = DEFAULTS.read_text().split("\n\n")

    assert [block for block in blocks if "=" in block and "#" not in block] == []


def test_default_file_repeats_the_numbers_that_stand_beside_the_detectors(load):
    assert load().settings.detection == DetectionRules()


@pytest.mark.parametrize("venue", EXCHANGES.values(), ids=EXCHANGES)
def test_default_file_repeats_the_keepalive_that_stands_beside_each_venue(load, venue):
    settings, theirs = getattr(load().settings.venues, venue.name), venue.keepalive

    assert (settings.silence_s, settings.max_age_s) == (theirs.silent_s, theirs.max_age_s)
    assert settings.ping_every_s == (theirs.every_s if theirs.ping else 0)


def test_fifty_assets_are_watched_by_default(load):
    assert len(load().settings.assets) >= 50


def test_later_sources_win(load):
    key, name = "http.port", "FORESHOCK_HTTP__PORT"

    file = load(toml="[http]\nport = 1")
    dotenv = load(toml="[http]\nport = 1", dotenv=f"{name}=2")
    environment = load({name: "3"}, toml="[http]\nport = 1", dotenv=f"{name}=2")
    command = load({name: "3"}, overrides={key: 4})

    assert [loaded.settings.http.port for loaded in (file, dotenv, environment, command)] == [1, 2, 3, 4]


def test_each_value_remembers_its_source(load, tmp_path):
    origins = load({"ENABLE_AUTO_START": "false"}, toml="[http]\nport = 1", dotenv="FORESHOCK_INSTANCE=north").origins

    assert origins["http.host"] == "default"
    assert origins["http.port"] == str(tmp_path / "mine.toml")
    assert origins["instance"] == f"{tmp_path / '.env'} FORESHOCK_INSTANCE"
    assert origins["switches.auto_start"] == "ENABLE_AUTO_START"


def test_settings_file_may_be_named_by_environment(load, tmp_path):
    named = tmp_path / "other.toml"
    named.write_text("instance = 'south'")

    assert load({"FORESHOCK_CONFIG": str(named)}).settings.instance == "south"


@pytest.mark.parametrize(
    "name",
    ["FORESHOCK_" + key.upper().replace(".", "__") for key, kind in leaves(Settings).items() if not is_table(kind)],
)
def test_every_key_can_be_set_from_the_environment(load, name):
    key = next(key for key in leaves(Settings) if "FORESHOCK_" + key.upper().replace(".", "__") == name)
    value: object = load().settings
    for part in key.split("."):
        value = getattr(value, part)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    assert load({name: TOKEN if isinstance(value, Secret) else text}).origins[key] == name


def test_lists_from_the_environment_are_separated_by_commas(load):
    telegram = load({"AUTHORIZED_USERS": "7, -100123 ,9"}).settings.telegram

    assert telegram.authorized_users == (7, -100123, 9)


def test_empty_list_of_users_means_nobody(load):
    assert load({"AUTHORIZED_USERS": ""}).settings.telegram.authorized_users == ()


def test_empty_switch_or_number_counts_as_not_set(load):
    settings = load({"ENABLE_AUTO_START": "", "FORESHOCK_HTTP__PORT": " "}).settings

    assert (settings.switches.auto_start, settings.http.port) == (True, 8750)


def test_empty_token_in_the_environment_switches_off_the_one_in_dotenv(load):
    assert load({"TELEGRAM_BOT_TOKEN": ""}, dotenv=f"TELEGRAM_BOT_TOKEN={TOKEN}").settings.telegram.token == Secret("")


def test_first_authorised_user_owns_the_bot_unless_named(load):
    first = load({"AUTHORIZED_USERS": "-5,7,8"})
    named = load({"AUTHORIZED_USERS": "-5,7,8", "OWNER_USERS": "8"})

    assert first.settings.telegram.owner_users == (7,)
    assert named.settings.telegram.owner_users == (8,)
    assert first.origins["telegram.owner_users"] == "the first of telegram.authorized_users"


def test_group_cannot_be_an_owner(problems):
    assert problems({"OWNER_USERS": "-5"}) == (
        "telegram.owner_users: expected a list, each item a whole number from 1 to 4503599627370496, was -5 (OWNER_USERS)",
    )


def test_given_assets_come_with_the_five_that_are_always_watched(load):
    assert load({"FORESHOCK_ASSETS": "xrp, BTC"}).settings.assets == ("BTC", "ETH", "SOL", "ADA", "DOT", "XRP")


def test_assets_may_be_left_to_the_ranking_by_turnover(load):
    assets = load({"FORESHOCK_ASSETS": "auto:50"}).settings.assets

    assert (assets.auto, assets) == (50, ("BTC", "ETH", "SOL", "ADA", "DOT"))
    assert load(toml='assets = "auto:500"').settings.assets.auto == 500
    assert load().settings.assets.auto == 0


@pytest.mark.parametrize("text", ["auto:4", "auto:2001", "auto:", "auto:x", "auto:50,BTC"])
def test_a_ranking_that_makes_no_sense_is_refused(problems, text):
    (problem,) = problems({"FORESHOCK_ASSETS": text})

    assert problem.startswith("assets: expected a list of assets such as BTC,ETH,SOL, or auto:N with N from 5 to 2000")


def test_thresholds_of_single_assets_join_the_given_ones(load):
    toml = "[detection.thresholds.single_usd]\nbtc = 5\nDOGE = 7"

    table = load(
        {"FORESHOCK_DETECTION__THRESHOLDS__SINGLE_USD__XRP": "9"}, toml=toml
    ).settings.detection.thresholds.single_usd

    assert dict(table) == {"BTC": 5, "ETH": 50_000, "SOL": 25_000, "DOGE": 7, "XRP": 9}


def test_threshold_of_an_asset_names_its_unit_when_wrong(problems):
    assert problems({"FORESHOCK_DETECTION__THRESHOLDS__SINGLE_USD__XRP": "much"}) == (
        "detection.thresholds.single_usd.XRP: expected USD from 1e-09 to 1e+12, was much (FORESHOCK_DETECTION__THRESHOLDS__SINGLE_USD__XRP)",
    )


def test_data_folder_is_absolute_and_by_default_the_users(load):
    assert load().settings.data_dir.name == "foreshock"
    assert load({"FORESHOCK_DATA_DIR": "here"}).settings.data_dir == Path.cwd() / "here"
    assert load({"FORESHOCK_DATA_DIR": "~/there"}).settings.data_dir == Path.home() / "there"


def test_error_says_what_was_expected_with_its_unit_and_where_it_was_set(problems):
    assert problems({"FORESHOCK_FEEDS__SUBSCRIBE_ACK_S": "-5"}) == (
        "feeds.subscribe_ack_s: expected seconds from 0.001 to 86400, was -5 (FORESHOCK_FEEDS__SUBSCRIBE_ACK_S)",
    )


def test_every_problem_is_named_not_only_the_first(problems, tmp_path):
    found = problems(
        {"FORESHOCK_HTTP__PORT": "high", "ENABLE_AUTO_START": "perhaps", "FORESHOCK_NONE": "1"},
        toml="[logs]\nlevel = 'loud'\n[nothing]\na = 1\n[feeds]\nsubscribe_ack_s = {}",
        dotenv="no equals sign\nFORESHOCK_VENUES__OKX__WS_URL=https://okx.example",
    )

    assert [problem.partition(" (")[0] for problem in found] == [
        f"{tmp_path / '.env'} line 1: expected NAME=value",
        "nothing: unknown setting, config/default.toml lists every key",
        "FORESHOCK_NONE: unknown setting, nearest is FORESHOCK_INSTANCE",
        "switches.auto_start: expected true or false, was perhaps",
        "http.port: expected a whole number from 0 to 65535, was high",
        "venues.okx.ws_url: expected an address such as wss://host[:port], was https://okx.example",
        "feeds.subscribe_ack_s: expected seconds from 0.001 to 86400, was {}",
        "logs.level: expected one of debug, error, info, warning, was loud",
    ]


@pytest.mark.parametrize(
    ("environ", "toml", "nearest"),
    [
        ({"FORESHOCK_FEED__SUBSCRIBE_ACK_S": "1"}, "", "FORESHOCK_FEEDS__SUBSCRIBE_ACK_S"),
        ({"FORESHOCK_VENUES__BYBYT__WS_URL": "1"}, "", "FORESHOCK_VENUES__BYBIT__WS_URL"),
        ({}, "[feeds]\nsubscribe_akc_s = 1", "feeds.subscribe_ack_s"),
        ({}, "asets = ['BTC']", "assets"),
    ],
)
def test_unknown_key_is_named_with_the_nearest_valid_one(problems, environ, toml, nearest):
    (problem,) = problems(environ, toml=toml)

    assert f"unknown setting, nearest is {nearest} (" in problem


def test_short_name_misspelt_in_dotenv_is_found(problems):
    (problem,) = problems(dotenv="ENABLE_AUTOSTART=false\nCOMPOSE_PROJECT_NAME=x")

    assert problem.startswith("ENABLE_AUTOSTART: unknown setting, nearest is ENABLE_AUTO_START")


def test_other_peoples_variables_are_left_alone(load):
    load({"ENABLE_AUTOSTART": "x", "PATH": "/bin"}, dotenv="COMPOSE_PROJECT_NAME=x")


@pytest.mark.parametrize("venue", EXCHANGES)
def test_every_venue_is_watched_and_can_be_switched_off(load, venue):
    name = f"FORESHOCK_VENUES__{venue.upper()}__ENABLED"

    assert getattr(load().settings.venues, venue).enabled
    assert not getattr(load({name: "false"}).settings.venues, venue).enabled


def test_settings_file_that_is_missing_or_broken_is_a_problem(problems, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("a = ")

    (missing,) = problems({"FORESHOCK_CONFIG": str(tmp_path / "none.toml")})
    (unreadable,) = problems({"FORESHOCK_CONFIG": str(broken)})

    assert missing.endswith(
        "none.toml: cannot be read: No such file or directory; --config or FORESHOCK_CONFIG names it"
    )
    assert "broken.toml: is not TOML" in unreadable


def test_token_comes_from_the_environment_or_from_a_named_file(load, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    direct = load({"TELEGRAM_BOT_TOKEN": TOKEN}).settings
    by_file = load({"TELEGRAM_BOT_TOKEN_FILE": str(tmp_path / "token")}).settings

    assert direct.telegram.token == by_file.telegram.token == Secret(TOKEN)
    assert secrets(direct) == (TOKEN,)


def test_empty_name_of_a_token_file_counts_as_not_set(load):
    assert load({"TELEGRAM_BOT_TOKEN_FILE": ""}).settings.telegram.token == Secret("")


def test_token_file_that_cannot_be_read_is_a_problem(problems):
    (problem,) = problems({"TELEGRAM_BOT_TOKEN_FILE": "/nowhere/token"})

    assert problem.startswith("telegram.token: file /nowhere/token cannot be read")


def test_token_in_a_settings_file_is_refused_without_showing_it(problems):
    (problem,) = problems(toml=f"[telegram]\ntoken = '{TOKEN}'")

    assert problem.startswith("telegram.token: a secret stands in no settings file, remove it; set ")
    assert TOKEN not in problem


def test_settings_do_not_show_the_token(load):
    loaded = load({"TELEGRAM_BOT_TOKEN": TOKEN})

    assert TOKEN not in repr(loaded)
    assert TOKEN not in str(loaded.settings.telegram.token)


def test_wrong_token_is_not_shown_in_the_error(problems):
    (problem,) = problems({"TELEGRAM_BOT_TOKEN": f"{TOKEN} x"})

    assert problem == "telegram.token: expected text without spaces or line breaks, was (hidden) (TELEGRAM_BOT_TOKEN)"


@pytest.mark.parametrize(
    "url", ["https://bots.example/api/", "http://127.0.0.1:81", "http://localhost", "http://[::1]:1"]
)
def test_bot_api_may_be_https_anywhere_or_http_on_this_machine(load, url):
    assert load({"FORESHOCK_TELEGRAM__API_URL": url}).settings.telegram.api_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://bots.example", "http://10.0.0.1", "http://127.0.0.1.example", "ftp://x", "https://", "https://x:99999"],
)
def test_bot_api_over_plain_http_elsewhere_is_refused(problems, url):
    (problem,) = problems({"FORESHOCK_TELEGRAM__API_URL": url})

    assert "expected an https address, or plain http to a loopback address" in problem


@pytest.mark.parametrize(("text", "minute"), [("08:00", 480), ("7:30", 450), ("", None)])
def test_a_time_of_day_is_read_by_the_clock_and_may_be_none(load, text, minute):
    assert load({"FORESHOCK_TELEGRAM__DIGEST_AT": text}).settings.telegram.digest_at.minute == minute


@pytest.mark.parametrize("text", ["25:00", "8", "08:60", "noon"])
def test_a_time_that_no_clock_shows_is_refused(problems, text):
    assert "expected a time such as 08:00" in problems({"FORESHOCK_TELEGRAM__DIGEST_AT": text})[0]


@pytest.mark.parametrize("text", ["nan", "inf", "1e9", "0", "true", "1 s"])
def test_time_limit_that_is_no_reasonable_number_is_refused(problems, text):
    (problem,) = problems({"FORESHOCK_REST__READ_TIMEOUT_S": text})

    assert problem.startswith("rest.read_timeout_s: expected seconds from 0.001 to 86400, was ")


def test_a_list_of_numbers_without_bounds_says_what_it_takes():
    assert expected(tuple[float, ...], "lifetimes_h") == "a list, each item a number"
