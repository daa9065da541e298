"""A venue for one client: any handshake, an ack for each SUBSCRIBE, then trades as fast as they are taken or at a rate.

    python -m benchmarks.stand.server --trades N [--symbols 50] [--rate 10000] [--after-subscribe]

Prints its port. On the second core where there are two, so that it does not take the client's.
"""

import argparse
import base64
import hashlib
import json
import os
import socket
import threading
import time

from benchmarks.stand.frames import frame, payloads

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
SEND_BYTES = 256 * 1024
TICK_S = 0.001
LINGER_S = 20.0  # some clients need a while to hand over the tail


def accept(listening: socket.socket) -> tuple[socket.socket, bytes]:
    """The first client that asks for a WebSocket, and what it sent behind its handshake."""
    while True:
        client, _ = listening.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = b""
        while b"\r\n\r\n" not in request and (more := client.recv(65_536)):
            request += more
        head, _, rest = request.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        if b"sec-websocket-key" in lines:
            key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
            answer = base64.b64encode(hashlib.sha1(key.split(b":", 1)[1].strip() + GUID).digest())  # noqa: S324 - RFC 6455
            client.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
            )
            return client, rest
        client.close()


def listen_to(client: socket.socket, held: bytes, lock: threading.Lock, subscribed: threading.Event) -> None:
    """Acknowledge subscriptions until the client goes."""
    with client.makefile("rb", buffering=0) as wire:
        reading = _Ahead(held, wire.read)
        while head := reading.take(2):
            size = head[1] & 127
            if size >= 126:
                size = int.from_bytes(reading.take(2 if size == 126 else 8), "big")
            mask, body = reading.take(4), reading.take(size)
            if head[0] & 15 != 1:
                continue
            text = bytes(byte ^ mask[n & 3] for n, byte in enumerate(body))
            if (asked := json.loads(text)).get("method") in {"SUBSCRIBE", "SET_PROPERTY"}:
                with lock:
                    client.sendall(frame(json.dumps({"result": None, "id": asked.get("id")}).encode()))
                subscribed.set()


class _Ahead:
    """Exact reads from what is there already and then from the wire; empty at the end."""

    def __init__(self, held: bytes, read: object) -> None:
        self._held, self._read = held, read

    def take(self, size: int) -> bytes:
        while len(self._held) < size:
            if not (more := self._read(65_536)):  # type: ignore[operator]
                return b""
            self._held += more
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def blast(client: socket.socket, frames: list[bytes], trades: int) -> None:
    whole = memoryview(b"".join(frames))
    for _ in range(trades // len(frames)):
        for at in range(0, len(whole), SEND_BYTES):
            client.sendall(whole[at : at + SEND_BYTES])
    client.sendall(b"".join(frames[: trades % len(frames)]))


def pace(client: socket.socket, frames: list[bytes], trades: int, rate: int) -> None:
    """One send a millisecond, on a schedule that a slow client does not move."""
    begun_s, sent = time.monotonic(), 0
    while sent < trades:
        time.sleep(TICK_S)
        due = min(trades, int((time.monotonic() - begun_s) * rate))
        client.sendall(b"".join(frames[n % len(frames)] for n in range(sent, due)))
        sent = due


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, required=True)
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--after-subscribe", action="store_true")
    parser.add_argument("--limit", type=float, default=90)
    args = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    threading.Timer(args.limit, os._exit, (3,)).start()
    frames = [frame(payload) for payload in payloads(args.symbols)]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        client, held = accept(listening)
    subscribed = threading.Event()
    threading.Thread(target=listen_to, args=(client, held, threading.Lock(), subscribed), daemon=True).start()
    if args.after_subscribe:
        subscribed.wait(args.limit)
    time.sleep(args.delay)
    try:
        if args.rate:
            pace(client, frames, args.trades, args.rate)
        else:
            blast(client, frames, args.trades)
        time.sleep(LINGER_S)
    except OSError:
        pass  # the client has seen enough
    os._exit(0)


if __name__ == "__main__":
    main()
