"""Start here: `python run.py` watches the markets, `python run.py COMMAND` does one of the other things."""

import argparse
import difflib
import importlib
import os
import sys
from typing import NoReturn

from commands import UsageError
from config.loading import ConfigError

COMMANDS = {
    "live": "watch the markets and warn (also without any command)",
    "demo": "the whole daemon against a simulated market",
    "check": "validate the settings and show where each came from",
    "status": "the running daemon's supervision tree and health",
    "explain": "why an alert was raised, or why nobody was told at some time",
    "record": "the live daemon with all raw frames written to disk",
    "replay": "recordings through the same code under a simulated clock",
    "convert": "recordings of others to the format that replay reads",
    "decode": "raw frames of a venue to normalised JSON lines",
    "backtest": "how good alerts and zones are, on recorded days",
}
EX_USAGE = 64  # sysexits.h
EX_CONFIG = 78
EX_INTERRUPTED = 130  # as a shell names the signals: 128 + SIGINT, 128 + SIGPIPE
EX_BROKEN_PIPE = 141


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str]) -> int:
    _replace_closed_streams()
    name, rest = _command_of(argv)
    module = importlib.import_module(f"commands.{name}")  # one command must not load the libraries of another
    parser = _Parser(prog=f"run.py {name}", description=module.__doc__)
    parser.add_argument("--config", metavar="FILE", help="a TOML file of settings; see config/default.toml")
    module.add_arguments(parser)
    try:
        code = int(module.run(parser.parse_args(rest)))
        sys.stdout.flush()  # here, where a reader who has left can still be handled
    except UsageError as error:
        parser.error(str(error))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except KeyboardInterrupt:
        return EX_INTERRUPTED
    except BrokenPipeError:  # `run.py status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at exit
        return EX_BROKEN_PIPE
    return code


def _replace_closed_streams() -> None:
    """Give a process that was started with `>&-` somewhere to write."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open for good
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def _command_of(argv: list[str]) -> tuple[str, list[str]]:
    """Split off the command. Options before it belong to it: `run.py --config FILE check`."""
    listing = "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items())
    parser = _Parser(
        prog="run.py",
        description=__doc__,
        epilog=f"commands:\n{listing}\n\n`run.py COMMAND --help` tells more",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file of settings; see config/default.toml")
    parser.add_argument("command", nargs="?", default="live")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the command")
    known = parser.parse_args(argv)
    if known.command not in COMMANDS:
        near = difflib.get_close_matches(known.command, COMMANDS, 1)
        parser.error(f"unknown command '{known.command}'" + (f", nearest is {near[0]}" if near else ""))
    before = ["--config", known.config] if known.config else []
    return known.command, [*before, *known.arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
