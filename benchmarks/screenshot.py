"""Record the demo on a real pseudo-terminal and draw what it showed as docs/demo.svg, the picture in the README.

.venv/bin/python -m benchmarks.screenshot [--seconds 40]
"""

import argparse
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 112, 78


def record(seconds: float) -> str:
    """Everything the demo wrote to its terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "run.py", "demo", "--seconds", str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=slave, stderr=slave, stdin=slave, env=environment) as process:  # noqa: S603
        os.close(slave)
        shown = io.BytesIO()
        while True:
            try:
                chunk = os.read(master, 65_536)
            except OSError:  # the other side is closed
                break
            if not chunk:
                break
            shown.write(chunk)
        process.wait()
    os.close(master)
    return shown.getvalue().decode(errors="replace").replace("\r\n", "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40)
    shown = record(parser.parse_args().seconds)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in ["$ make demo", *shown.splitlines()[:ROWS]]:
        console.print(Text.from_ansi(line), overflow="ellipsis", no_wrap=True)
    picture = console.export_svg(title="Foreshock")
    picture = re.sub(r",\s*url\([^)]*\) format\([^)]*\)", "", picture)  # the reader's own fonts will do
    (ROOT / "docs" / "demo.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
