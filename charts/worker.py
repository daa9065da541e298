"""The process that draws: a request in, a picture out, by pipes, until the pipe ends. `python -m charts.worker`.

Knows nothing of the daemon: no secret, no socket, no file. It may be killed at any time.
"""

import resource
import struct
import sys
from typing import BinaryIO

import msgspec

from charts.drawing import draw
from charts.requests import ChartRequest

HEAD = struct.Struct("!BI")  # whether it is a picture, and its length
DRAWN, FAILED = 1, 0
READY = b"r"  # said once, before anything else


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    decoder = msgspec.msgpack.Decoder(ChartRequest)
    answers.write(READY)
    answers.flush()
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        _, length = HEAD.unpack(head)
        try:
            kind, body = DRAWN, draw(decoder.decode(requests.read(length)))
        except Exception as error:  # a request without sense costs its own picture
            kind, body = FAILED, f"{type(error).__name__}: {error}"[:300].encode()
        answers.write(HEAD.pack(kind, len(body)) + body)
        answers.flush()


def limit(memory_bytes: int) -> None:
    """A picture that would take more memory fails, or takes this process with it, and nothing else."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    limit(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
