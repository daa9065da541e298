import subprocess
import sys

import pytest

import run


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["chekc"], "run.py: unknown command 'chekc', nearest is check; see run.py --help"),
        (["zzz"], "run.py: unknown command 'zzz'; see run.py --help"),
        (["--nonsense"], "run.py: unrecognized arguments: --nonsense; see run.py --help"),
        (["check", "--nonsense"], "run.py check: unrecognized arguments: --nonsense; see run.py check --help"),
        (["check", "--config"], "run.py check: argument --config: expected one argument; see run.py check --help"),
    ],
)
def test_error_of_use_is_one_line_and_exit_64(capsys, arguments, line):
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)

    printed = capsys.readouterr()
    assert (ended.value.code, printed.out, printed.err) == (64, "", line + "\n")


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        run.main(["--help"])

    printed = capsys.readouterr().out
    assert ended.value.code == 0
    assert [name for name in run.COMMANDS if f"  {name} " not in printed] == []


@pytest.mark.parametrize("command", run.COMMANDS)
def test_each_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        run.main([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: run.py {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "status", "decode"])
def test_command_that_runs_no_daemon_loads_no_actor_library(command):
    """`status` is a health check of a container every few seconds, so it must start fast."""
    script = (
        f"import sys, run\ntry: run.main(['{command}', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('pykka', 'telegram', 'aiohttp', 'websocket', 'requests') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_reader_who_leaves_early_is_no_error():
    """`run.py check | head` closes the pipe before everything is written."""
    with subprocess.Popen(
        [sys.executable, "run.py", "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()

        complaint = process.stderr.read()

    assert (process.returncode, complaint) == (run.EX_BROKEN_PIPE, "")
