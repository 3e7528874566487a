"""test_compression - permessage-deflate (RFC 7692) with common client libraries and by hand: messages come back
unchanged, fewer bytes are sent, and a slow reader can always inflate what it gets.

The node client is deflate_client.cjs. WEIR_SCALE=50 sends 10,000 messages for each client library and mode.

SPDX-License-Identifier: MIT
"""

import asyncio
import json
import os
import random
import socket
import struct
import subprocess
import unittest
import zlib
from pathlib import Path
from typing import NamedTuple

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from python_websockets import response_headers
from raw_client import BINARY, CLOSE, FIN, RSV1, TEXT
from raw_client import Frame, RawClient, close_frame, frame, request, upgrade_headers
from weir_process import PATIENCE, AsyncTestCase, AsyncWeirTestCase, Weir, WeirTestCase, scaled

NODE_CLIENT = Path(__file__).with_name("deflate_client.cjs")
MIB = 1 << 20
TAIL = b"\x00\x00\xff\xff"  # ends every compressed message and is not sent (RFC 7692, 7.2.1)
WIRE_SHARE = 0.8  # of the payload: half of it hardly compresses, and the sum compresses to 0.55


class Mode(NamedTuple):
    path: str
    offer: dict  # what the client asks for in addition to permessage-deflate itself
    answer: str  # parameters that the server must agree to


NONE_TAKEN_OVER = "; server_no_context_takeover; client_no_context_takeover"


def windows(bits):
    return {"server_max_window_bits": bits, "client_max_window_bits": bits}


# The server never keeps a window of more than 12 bits between messages.
MODES = [
    Mode("/on", {}, NONE_TAKEN_OVER),
    Mode("/on", windows(15), NONE_TAKEN_OVER + "; server_max_window_bits=12"),
    Mode("/on", windows(9), NONE_TAKEN_OVER + "; server_max_window_bits=9"),
    Mode("/takeover", {}, "; client_max_window_bits=12"),
    Mode("/takeover", windows(15), "; server_max_window_bits=12; client_max_window_bits=12"),
    Mode("/takeover", windows(12), "; server_max_window_bits=12; client_max_window_bits=12"),
    Mode("/takeover", windows(9), "; server_max_window_bits=9; client_max_window_bits=9"),
    Mode("/takeover", {"server_no_context_takeover": True},
         "; server_no_context_takeover; client_max_window_bits=12"),
    Mode("/takeover", {"client_no_context_takeover": True}, "; client_no_context_takeover"),
]

# No pings: while websockets 10.4 cannot write its pong, it does not read either, and the server does not
# read from a client that leaves its replies unread.
ECHO = """[server]
listen = 127.0.0.1:PORT
[websocket]
ping_interval = 0
[route /on]
handler = echo
compression = on
[route /takeover]
handler = echo
compression = takeover
"""


class Messages:
    """Texts and binaries of 0 to 1 MiB, by turns compressible and random, the same in every run."""

    HEAD = "Grüße, 世界 🌍 ".encode()

    def __init__(self):
        self.random = random.Random(7692)
        noise = self.random.randbytes(2 * MIB)
        lines = b"".join(b'{"number": %d, "square": %d}\n' % (i, i * i) for i in range(60000))[: 2 * MIB]
        printable = noise.translate(bytes(33 + byte % 94 for byte in range(256)))
        self.pools = [(True, lines), (False, lines), (True, printable), (False, noise)]

    def _message(self, is_text, pool, size):
        start = self.random.randrange(MIB)
        head = self.HEAD if is_text and size >= len(self.HEAD) else b""
        data = head + pool[start : start + size - len(head)]
        return data.decode() if is_text else data

    def size(self, index):
        """The largest and the empty first, then as many between 1 KiB and 2 KiB as between 512 KiB and 1 MiB."""
        return (MIB, 0)[index] if index < 2 else int(2 ** self.random.uniform(0, 20)) - 1

    def some(self, count):
        for index in range(count // 4):
            size = self.size(index)
            for is_text, pool in self.pools:
                yield self._message(is_text, pool, size)


def wire_bytes(connection):
    """How many bytes a TCP connection has sent and received."""
    tcp_info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
    return struct.unpack_from("QQ", tcp_info, 120)  # tcpi_bytes_acked, tcpi_bytes_received


def size_of(message):
    return len(message.encode() if isinstance(message, str) else message)


class Echo(AsyncWeirTestCase):
    configuration = ECHO
    messages = scaled(200, least=40)

    def assertCompressed(self, payload, sent, received):
        self.assertLess(sent, WIRE_SHARE * payload, "the client did not compress")
        self.assertLess(received, WIRE_SHARE * payload, "the server did not compress")

    async def exchange(self, websocket):
        """Sends all and receives all at the same time. Returns how many bytes of payload went each way."""
        sent = asyncio.Queue()
        payload = 0

        async def send():
            for message in Messages().some(self.messages):
                sent.put_nowait(message)
                await websocket.send(message)

        sending = asyncio.create_task(send())
        for number in range(self.messages // 4 * 4):
            answer = await websocket.recv()
            message = await sent.get()
            if answer != message:  # assertEqual would print a megabyte
                self.fail(f"message {number}: {size_of(answer)} bytes for {size_of(message)}, or others")
            payload += size_of(message)
        await sending
        return payload

    async def test_python_messages_come_back_compressed(self):
        for mode in MODES:
            with self.subTest(path=mode.path, offer=mode.offer):
                offer = ClientPerMessageDeflateFactory(**{"client_max_window_bits": True, **mode.offer})
                async with websockets.connect(
                    self.weir.url(mode.path), extensions=[offer], compression=None, max_size=None,
                    ping_interval=None,
                ) as websocket:
                    answer = response_headers(websocket)["Sec-WebSocket-Extensions"]
                    self.assertEqual(answer, "permessage-deflate" + mode.answer)
                    payload = await self.exchange(websocket)
                    wire = wire_bytes(websocket.transport.get_extra_info("socket"))
                self.assertCompressed(payload, *wire)

    def test_node_messages_come_back_compressed(self):
        for mode in MODES:
            with self.subTest(path=mode.path, offer=mode.offer):
                self.assertCompressed(*self.run_node(mode))

    def run_node(self, mode):
        # A node that is not Debian's does not search the folder of Debian's packages.
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        expected = "permessage-deflate" + mode.answer
        client = subprocess.run(
            ["node", NODE_CLIENT, self.weir.url(mode.path), str(self.messages), json.dumps(mode.offer), expected],
            env=environment, capture_output=True, text=True, timeout=4 * PATIENCE + self.messages / 10,
        )
        self.assertEqual(client.returncode, 0, client.stdout + client.stderr)
        return [int(number) for number in client.stdout.split()]


# --- By hand --------------------------------------------------------------------------------------------------


class DeflateClient(RawClient):
    """A client that has negotiated permessage-deflate, and inflates by itself."""

    def __init__(self, port, path, offer="permessage-deflate"):
        super().__init__(port)
        self.send(request(path, upgrade_headers(Sec_WebSocket_Extensions=offer)))
        response = self.response()
        if response.status != 101:
            raise AssertionError(f"upgrade of {path}: {response}")
        self.answer = response.headers.get("sec-websocket-extensions", "")
        self.fresh_each = "server_no_context_takeover" in self.answer
        self.inflater = zlib.decompressobj(-15)

    def compressed_frame(self):
        """The next frame: whether it was compressed, how long its payload was on the wire, and what it holds."""
        first, second = self._take(2)
        length = {126: 2, 127: 8}.get(second, 0)
        size = int.from_bytes(self._take(length), "big") if length else second
        payload = self._take(size)
        if not first & RSV1:
            return False, size, Frame(first & 0x0F, payload)
        if self.fresh_each:
            self.inflater = zlib.decompressobj(-15)
        return True, size, Frame(first & 0x0F, self.inflater.decompress(payload + TAIL))


def deflated(deflater, data):
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


class OnTheWire(WeirTestCase):
    configuration = ECHO

    def test_large_messages_are_compressed_and_small_ones_are_not(self):
        text = b"the same again; " * 100
        for path, grows_smaller in (("/on", False), ("/takeover", True)):
            with self.subTest(path=path), DeflateClient(self.weir.port, path) as client:
                deflater = zlib.compressobj(wbits=-15)
                sizes = []
                for _ in range(2):
                    if not grows_smaller:
                        deflater = zlib.compressobj(wbits=-15)
                    client.send(frame(TEXT, deflated(deflater, text), flags=FIN | RSV1))
                    was_compressed, size, answer = client.compressed_frame()
                    self.assertEqual(answer, (TEXT, text))
                    self.assertTrue(was_compressed)
                    self.assertLess(size, len(text) // 10)
                    sizes.append(size)
                self.assertEqual(sizes[1] < sizes[0], grows_smaller, sizes)
                client.send(frame(TEXT, text[:1023]))
                self.assertEqual(client.compressed_frame(), (False, 1023, (TEXT, text[:1023])))

    def test_nothing_is_compressed_without_an_offer(self):
        text = b"the same again; " * 100
        for path in ("/on", "/takeover"):
            with RawClient(self.weir.port, upgrade=path) as client:
                client.send(frame(TEXT, text))
                self.assertEqual(client.frame(), (TEXT, text))  # which must not have RSV1


# --- Broadcasts -----------------------------------------------------------------------------------------------


class Broadcast(AsyncTestCase):
    CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[route /on]
handler = broadcast
compression = on
[route /takeover]
handler = broadcast
compression = takeover
"""
    SENDERS = 3
    messages = scaled(150, least=30)  # of each sender

    OFFERS = [None, {}] + [
        {**windows(bits), "server_no_context_takeover": fresh_each}
        for bits in (15, 12, 9)
        for fresh_each in (False, True)
    ]

    async def connect(self, weir, path, offer):
        extensions = [] if offer is None else [ClientPerMessageDeflateFactory(**offer)]
        websocket = await websockets.connect(
            weir.url(path), compression=None, extensions=extensions, max_size=None, open_timeout=PATIENCE
        )
        self.assertEqual("Sec-WebSocket-Extensions" in response_headers(websocket), offer is not None)
        return websocket

    def message(self, sender, number):
        """Some are below the threshold and some do not compress; all contain their sender and number."""
        size = (10, 900, 3000, 20000)[number % 4]
        rest = random.Random(number).randbytes(size) if number % 3 == 0 else b"again and " * (size // 10)
        return struct.pack("!II", sender, number) + rest

    async def send(self, websocket, sender):
        for number in range(self.messages):
            await websocket.send(self.message(sender, number))

    async def receive(self, websocket):
        return [await websocket.recv() for _ in range(self.SENDERS * self.messages)]

    async def play(self, weir, path):
        receivers = [await self.connect(weir, path, offer) for offer in self.OFFERS]
        senders = [await self.connect(weir, path, {}) for _ in range(self.SENDERS)]
        everybody = receivers + senders
        receiving = [asyncio.create_task(self.receive(websocket)) for websocket in everybody]
        await asyncio.gather(*(self.send(websocket, sender) for sender, websocket in enumerate(senders)))
        received = await asyncio.gather(*receiving)
        await asyncio.gather(*(websocket.close() for websocket in everybody))
        return received

    async def test_every_receiver_gets_the_same_messages(self):
        with Weir(self.CONFIGURATION) as weir:
            for path in ("/on", "/takeover"):
                with self.subTest(path=path):
                    self.check(await self.play(weir, path))

    def check(self, received):
        for sender in range(self.SENDERS):
            from_sender = [message for message in received[0] if message.startswith(struct.pack("!I", sender))]
            expected = [self.message(sender, number) for number in range(self.messages)]
            self.assertTrue(from_sender == expected, f"the messages of sender {sender} differ, or their order")
        for number, others in enumerate(received):
            self.assertTrue(others == received[0], f"client {number} got others than client 0, or another order")


# --- A slow reader --------------------------------------------------------------------------------------------


class SlowReader(WeirTestCase):
    configuration = """[server]
listen = 127.0.0.1:PORT
[websocket]
max_message_size = 64KiB
send_buffer_soft = 64KiB
send_buffer_hard = 2MiB
close_timeout = 5m
[route /broadcast]
handler = broadcast
compression = takeover
"""
    SIZE = 16384
    ENOUGH = 1000  # messages: more than 2 MiB and the buffers of the kernel, full of compressed ones, can hold

    def message(self, number):
        return struct.pack("!I", number) + random.Random(number).randbytes(self.SIZE // 2) + bytes(self.SIZE // 2)

    def broadcast(self):
        """Sends each message when the one before has come back, so that all are broadcast in order."""
        with RawClient(self.weir.port, upgrade="/broadcast") as sender:
            for number in range(self.ENOUGH):
                sender.send(frame(BINARY, self.message(number)))
                self.assertEqual(len(sender.frame().payload), len(self.message(number)))

    def test_slow_reader_can_inflate_all_up_to_its_close(self):
        with DeflateClient(self.weir.port, "/broadcast") as slow:
            slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            self.broadcast()
            read, wire = 0, 0
            while True:
                was_compressed, size, answer = slow.compressed_frame()
                if answer.opcode == CLOSE:
                    break
                self.assertTrue(was_compressed)
                self.assertTrue(answer == (BINARY, self.message(read)), f"message {read} is damaged, or another")
                read, wire = read + 1, wire + size
            self.assertEqual(answer.close_code, 1013)
            self.assertGreater(read, 0)
            self.assertLess(read, self.ENOUGH)
            self.assertLess(wire, 0.6 * read * self.SIZE)
            slow.send(close_frame(1013))
            self.assertTrue(slow.at_end())


if __name__ == "__main__":
    unittest.main()
