import tomllib

import pytest

import run

TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"


@pytest.fixture(autouse=True)
def away_from_the_checkout(tmp_path, monkeypatch):
    """Settings are read from the working folder and the environment: both are the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_BOT_TOKEN", "AUTHORIZED_USERS", "OWNER_USERS", "FORESHOCK_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_check_prints_every_setting_with_its_origin(monkeypatch, capsys):
    monkeypatch.setenv("FORESHOCK_HTTP__PORT", "9000")

    code = run.main(["check"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line.split() for line in lines if line.startswith("http.port")] == [
        ["http.port", "=", "9000", "#", "FORESHOCK_HTTP__PORT"]
    ]
    assert all(" # " in line for line in lines)


def test_check_prints_a_ranking_as_it_is_written(monkeypatch, capsys):
    monkeypatch.setenv("FORESHOCK_ASSETS", "auto:50")

    run.main(["check"])

    lines = capsys.readouterr().out.splitlines()
    assert ["assets", "=", '"auto:50"', "#", "FORESHOCK_ASSETS"] in [line.split() for line in lines]


def test_check_hides_the_token(monkeypatch, capsys):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)

    run.main(["check"])

    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err
    assert '"(hidden)"  # TELEGRAM_BOT_TOKEN' in printed.out


def test_output_of_check_is_toml(capsys):
    run.main(["check"])

    assert tomllib.loads(capsys.readouterr().out)["venues"]["okx"]["ws_url"] == "wss://ws.okx.com:8443"


def test_check_names_every_problem_and_exits_78(monkeypatch, capsys):
    monkeypatch.setenv("FORESHOCK_HTTP__PORT", "x")
    monkeypatch.setenv("FORESHOCK_LOGS__LEVEL", "y")

    code = run.main(["check"])

    printed = capsys.readouterr()
    assert (code, printed.out) == (run.EX_CONFIG, "")
    assert [line.partition(":")[0] for line in printed.err.splitlines()] == ["http.port", "logs.level"]


def test_settings_file_can_be_named_before_or_after_the_command(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text("instance = 'north'")

    run.main(["--config", str(file), "check"])
    before = capsys.readouterr().out
    run.main(["check", "--config", str(file)])
    after = capsys.readouterr().out

    assert before == after
    assert f'= "north"  # {file}' in after
