"""A venue on loopback that does what a test says: any bytes on a socket, any refusal, any delay, any REST reply.

aiohttp in one background thread. Tests script it from their own thread and wait for what clients sent.
"""

import asyncio
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.telegram_stand.stage import wait_for

START_S = 5.0


def frame(opcode, payload=b"", *, final=True):
    """One unmasked frame as a server sends it."""
    payload = payload.encode() if isinstance(payload, str) else payload
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + bytes([126]) + len(payload).to_bytes(2, "big") + payload
    return head + bytes([127]) + len(payload).to_bytes(8, "big") + payload


def text(payload):
    return frame(1, payload)


@dataclass
class Reply:
    """A REST reply, or the refusal of a handshake. `drip`: a byte at a time, each after the test says so. `cut`: the
    connection ends after half of it.
    """

    body: bytes = b"{}"
    status: int = 200
    headers: dict = field(default_factory=dict)
    drip: bool = False
    cut: bool = False


class Socket:
    """The server's end of one WebSocket. `received`: pairs of kind and payload, in order."""

    def __init__(self, stand, request, websocket):
        self._stand, self._request, self.websocket = stand, request, websocket
        self.path = request.path_qs
        self.received = []
        self.ended = threading.Event()

    def send(self, *payloads):
        """Each payload as a text frame, all in one write."""
        self.raw(b"".join(text(payload) for payload in payloads))

    def raw(self, data):
        self._stand.call(self._request.transport.write, data)

    def reset(self):
        """End with RST instead of FIN."""
        self._stand.call(self._reset)

    def _reset(self):
        plain = self._request.transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._request.transport.abort()

    def hang_up(self):
        """FIN without a close frame."""
        self._stand.call(self._request.transport.close)

    def texts(self):
        return [payload for kind, payload in self.received if kind == "text"]

    def of_kind(self, kind):
        return [payload for this, payload in self.received if this == kind]


class FeedStand:
    """`answer(text)` gives what a socket replies to a client's frame: a venue's acks and pongs, or nothing."""

    def __init__(self, answer=lambda _text: (), tls=None):
        self.answer = answer
        self.sockets = []
        self.handshakes = 0
        self.requests = []
        self.methods = []  # of those requests
        self.refusals = []  # replies to the next handshakes; the last one stays
        self.stalling = False  # handshakes get no answer at all
        self.pages = {}  # path: replies in turn, the last one stays
        self.more = threading.Semaphore(0)  # releases a byte of a dripping reply
        self._let_go = None
        self._loop = None
        self._tls = tls
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="feed-stand", daemon=True)
        self._thread.start()
        assert self._ready.wait(START_S)

    @property
    def ws_url(self):
        return f"{'wss' if self._tls else 'ws'}://localhost:{self.port}"

    @property
    def rest_url(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, function, *arguments):
        self._loop.call_soon_threadsafe(function, *arguments)

    def socket(self, number):
        """The socket that was accepted as the `number`-th, from 1; waits for it."""
        wait_for(lambda: len(self.sockets) >= number, f"socket {number}")
        return self.sockets[number - 1]

    def stop(self):
        self.call(self._let_go.set)
        self._thread.join(START_S)
        assert not self._thread.is_alive()

    # -- the server's thread ------------------------------------------------------------------------------------------

    async def _serve(self):
        self._loop, self._let_go = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application()
        application.router.add_route("*", "/{anything:.*}", self._handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        context = None
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._tls)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._let_go.wait()
        for protocol in list(runner.server.connections):
            if protocol.transport is not None:
                protocol.transport.abort()
        await runner.cleanup()
        await asyncio.sleep(0.002)  # the ends of transports are on their way

    async def _handle(self, request):
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._handshake(request)
        self.methods.append(request.method)
        self.requests.append(request.path_qs)
        replies = self.pages.get(request.path, [Reply(status=404)])
        return await self._reply(request, replies.pop(0) if len(replies) > 1 else replies[0])

    async def _handshake(self, request):
        self.handshakes += 1
        if self.stalling:
            await self._let_go.wait()
        if self.refusals:
            return await self._reply(request, self.refusals.pop(0) if len(self.refusals) > 1 else self.refusals[0])
        websocket = web.WebSocketResponse(autoping=False, autoclose=False, compress=False)
        await websocket.prepare(request)
        one = Socket(self, request, websocket)
        self.sockets.append(one)
        try:
            await self._listen(one, request, websocket)
        finally:
            one.ended.set()
        return websocket

    async def _listen(self, one, request, websocket):
        while True:
            message = await websocket.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            one.received.append((message.type.name.lower(), message.data))
            if message.type is WSMsgType.TEXT:
                replies = b"".join(text(reply) for reply in self.answer(message.data))
                if replies and request.transport is not None:
                    request.transport.write(replies)

    async def _reply(self, request, reply):
        if not (reply.drip or reply.cut):
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(reply.body)
        await response.prepare(request)
        if reply.cut:
            await response.write(reply.body[: len(reply.body) // 2])
            request.transport.close()
            return response
        for position in range(len(reply.body)):
            while not self.more.acquire(blocking=False):
                if self._let_go.is_set() or request.transport is None:
                    return response
                await asyncio.sleep(0.005)
            await response.write(reply.body[position : position + 1])
        return response
