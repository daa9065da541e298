from datetime import UTC, datetime, timedelta

import msgspec
import pytest

import run
from supervisors.wording import Node, Report


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """The daemon's data directory; settings are read from the working folder and the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_BOT_TOKEN", "AUTHORIZED_USERS", "OWNER_USERS", "FORESHOCK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORESHOCK_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def a_node(path, **values):
    return Node(path=path, **{"kind": "actor", "state": "running", "state_since_s": 5.0, "health": "healthy", **values})


def write(data_dir, health="healthy", age_s=1.0, **values):
    feed = a_node("/core/okx", health="unhealthy", flags=("stale",))
    core = a_node("/core", kind="supervisor", health="degraded", children=(feed, a_node("/core/deep")))
    report = Report(
        as_of=(datetime.now(UTC) - timedelta(seconds=age_s)).isoformat().replace("+00:00", "Z"),
        pid=1,
        version="0",
        uptime_s=60.0,
        health=health,
        why=("/core/okx stale",),
        totals={"running": 1, "actors": 1, "restarts": 0, "leaked": 0, "rss_mib": 30.0},
        tree=a_node("/", kind="supervisor", health=health, children=(core,)),
        **values,
    )
    (data_dir / "status.json").write_bytes(msgspec.json.encode(report))


@pytest.mark.parametrize(("health", "code"), [("healthy", 0), ("degraded", 1), ("unhealthy", 2)])
def test_the_exit_code_is_the_health(data_dir, capsys, health, code):
    write(data_dir, health)

    assert run.main(["status"]) == code
    assert capsys.readouterr().out.startswith(f"Foreshock {health}, up 1 min 0 s (as of ")


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda _: None, "there is no "),
        (lambda data_dir: write(data_dir, age_s=31), "status.json is 31 s old"),
        (lambda data_dir: write(data_dir, ended=True), "it ended at "),
        (lambda data_dir: (data_dir / "status.json").write_text("{"), "status.json cannot be read: "),
    ],
)
def test_without_a_daemon_one_line_says_so_and_the_exit_code_is_3(data_dir, capsys, prepare, reason):
    prepare(data_dir)

    code = run.main(["status"])

    printed = capsys.readouterr()
    assert (code, printed.out, len(printed.err.splitlines())) == (3, "", 1)
    assert printed.err.startswith("Foreshock is not running: ")
    assert reason in printed.err


def test_one_path_is_shown_and_judged_by_itself(data_dir, capsys):
    write(data_dir)

    assert run.main(["status", "core/okx"]) == 2
    assert capsys.readouterr().out == "/core/okx: unhealthy, running for 5 s, epoch 0\n"


def test_a_path_that_is_not_in_the_tree_is_an_error_of_use(data_dir, capsys):
    write(data_dir)

    with pytest.raises(SystemExit) as ended:
        run.main(["status", "/core/okex"])

    assert ended.value.code == run.EX_USAGE
    assert "there is no /core/okex in the tree, nearest is /core/okx" in capsys.readouterr().err


def test_json_is_what_the_daemon_wrote(data_dir, capsys):
    write(data_dir)

    run.main(["status", "--json"])
    whole = capsys.readouterr().out
    run.main(["status", "--json", "/core/okx"])
    part = capsys.readouterr().out

    assert whole.encode() == (data_dir / "status.json").read_bytes() + b"\n"
    assert msgspec.json.decode(part)["flags"] == ["stale"]


def test_all_shows_what_is_well_too(data_dir, capsys):
    write(data_dir)

    run.main(["status"])
    sick = capsys.readouterr().out
    run.main(["status", "--all"])
    everything = capsys.readouterr().out

    assert ("ok deep running" in sick, "ok deep running" in everything) == (False, True)
