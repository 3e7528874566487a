"""test_limits - how much memory a client can make the server use: compression bombs, claimed lengths, endless
fragments.

Each test has its own server, whose peak of memory is checked. A sanitizer uses memory itself, so in its builds only the
answers are checked.

SPDX-License-Identifier: MIT
"""

import time
import unittest
import zlib

from process_state import MIB, SANITIZED, forget_peak, memory, peak_memory, processor_seconds
from raw_client import BINARY, CLOSE, CONTINUATION, FIN, RSV1, TEXT
from raw_client import RawClient, close_frame, frame, request, upgrade_headers
from weir_process import Weir, scaled

MAX_MESSAGE_SIZE = MIB


def bomb(size):
    """`size` zeros, compressed to a thousandth: a payload without the tail, which is not sent."""
    deflater = zlib.compressobj(9, wbits=-15)
    zeros = bytes(MIB)
    parts = [deflater.compress(zeros) for _ in range(size // MIB)]
    return b"".join([*parts, deflater.flush(zlib.Z_SYNC_FLUSH)]).removesuffix(b"\x00\x00\xff\xff")


def one_byte_fragments(payload):
    """A binary message in frames of one byte each, all with the same mask."""
    key = b"\x5a\xa5\x3c\xc3"
    frames = bytearray(7 * len(payload))
    frames[1::7] = b"\x81" * len(payload)
    for i in range(4):
        frames[2 + i :: 7] = key[i : i + 1] * len(payload)
    frames[6::7] = bytes(byte ^ key[0] for byte in payload)
    frames[0] = BINARY
    frames[-7] = FIN | CONTINUATION
    return bytes(frames)


def configuration(settings=""):
    return f"""[server]
listen = 127.0.0.1:PORT
[websocket]
max_message_size = 1MiB
{settings}[route /on]
handler = echo
compression = on
[route /takeover]
handler = echo
compression = takeover
"""


class Limited(unittest.TestCase):
    settings = ""

    def setUp(self):
        """A server that has answered a client already, so that its first allocations do not count."""
        self.weir = Weir(configuration(self.settings))
        self.addCleanup(self.weir.stop)
        with self.client("/on") as client:
            client.send(frame(BINARY, bytes(1000)))
            self.assertEqual(client.frame(), (BINARY, bytes(1000)))
        forget_peak(self.weir)
        self.before = memory(self.weir)

    def client(self, path):
        client = RawClient(self.weir.port)
        self.addCleanup(client.socket.close)
        client.send(request(path, upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate")))
        self.assertIn("permessage-deflate", client.response().headers["sec-websocket-extensions"])
        return client

    def assertGrewByLessThan(self, most):
        grown = peak_memory(self.weir) - self.before
        print(f"{grown >> 10} KiB ", end="", flush=True)
        if not SANITIZED:
            self.assertLess(grown, most)

    def assertTooBig(self, client):
        answer = client.frame()
        self.assertEqual((answer.opcode, answer.close_code), (CLOSE, 1009))
        client.send_all_it_takes(close_frame(1009))
        self.assertTrue(client.at_end())


class Limits(Limited):
    def test_compression_bomb_is_refused_with_little_memory(self):
        payload = bomb(256 * MIB)
        self.assertLess(len(payload), MAX_MESSAGE_SIZE // 2)
        for path in ("/on", "/takeover"):
            with self.subTest(path=path):
                client = self.client(path)
                client.send_all_it_takes(frame(BINARY, payload, flags=FIN | RSV1))
                self.assertTooBig(client)
        self.assertGrewByLessThan(10 * MAX_MESSAGE_SIZE)

    def test_fragmented_bomb_is_refused_with_little_memory(self):
        payload = bomb(256 * MIB)
        pieces = [payload[start : start + 1000] for start in range(0, len(payload), 1000)]
        for path in ("/on", "/takeover"):
            with self.subTest(path=path):
                client = self.client(path)
                client.send_all_it_takes(frame(TEXT, pieces[0], flags=RSV1))
                for piece in pieces[1:-1]:
                    client.send_all_it_takes(frame(CONTINUATION, piece, flags=0))
                client.send_all_it_takes(frame(CONTINUATION, pieces[-1]))
                self.assertTooBig(client)
        self.assertGrewByLessThan(10 * MAX_MESSAGE_SIZE)

    def test_claimed_lengths_allocate_nothing(self):
        """Only headers are sent: an answer that waited for the payload would never come."""
        for length in (2 << 30, MAX_MESSAGE_SIZE * 2):
            for flags in (FIN, FIN | RSV1, RSV1):
                with self.subTest(length=length, flags=flags):
                    client = self.client("/on")
                    client.send(frame(BINARY, length=length, flags=flags))
                    self.assertTooBig(client)
        self.assertGrewByLessThan(2 * MAX_MESSAGE_SIZE)

    def test_million_fragments_are_closed_with_1008(self):
        client = RawClient(self.weir.port, upgrade="/on")
        self.addCleanup(client.socket.close)
        client.send_all_it_takes(one_byte_fragments(bytes(MIB)))
        answer = client.frame()
        self.assertEqual((answer.opcode, answer.close_code), (CLOSE, 1008))
        self.assertGrewByLessThan(2 * MAX_MESSAGE_SIZE)


class AnyNumberOfFragments(Limited):
    """As many fragments as the largest message can have are a message like any other; its echo is a second copy."""

    settings = "max_fragments = 1048576\n"

    def test_million_fragments_without_limit_are_echoed(self):
        payload = bytes(range(256)) * 4096
        client = RawClient(self.weir.port, upgrade="/on")
        self.addCleanup(client.socket.close)
        client.send(one_byte_fragments(payload))
        answer = client.frame()
        self.assertTrue(answer == (BINARY, payload), f"opcode {answer.opcode}, {len(answer.payload)} bytes")
        self.assertGrewByLessThan(5 * len(payload))


class Pipelined(unittest.TestCase):
    """A few kilobytes may inflate to many megabytes; a client that reads gets all of them."""

    def check(self, path, message, count, settings=""):
        deflater = zlib.compressobj(wbits=-15)
        payload = (deflater.compress(message) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
        offer = request(path, upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate; client_no_context_takeover"))
        with Weir(configuration(settings)) as weir, RawClient(weir.port) as client:
            client.send(offer)
            self.assertEqual(client.response().status, 101)
            client.send(frame(BINARY, payload, flags=FIN | RSV1) * count)
            echoes = [client.frame(reserved=RSV1) for _ in range(count)]
            self.assertEqual({echo.opcode for echo in echoes}, {BINARY})
            client.send(close_frame(1000))
            self.assertEqual(client.frame().close_code, 1000)

    def test_large_compressed_messages_are_all_echoed(self):
        for path in ("/on", "/takeover"):
            with self.subTest(path=path):
                self.check(path, bytes(MIB), scaled(60, 20))

    def test_small_compressed_messages_are_all_echoed(self):
        tight = "send_buffer_soft = 256KiB\nsend_buffer_hard = 2304KiB\n"
        self.check("/on", bytes(1000), scaled(20000, 5000), tight)


class Stuck(unittest.TestCase):
    """A client that sends and never reads: the server stops reading from it, and waits without polling."""

    def test_client_that_never_reads_costs_no_processor_time(self):
        with Weir(configuration()) as weir, RawClient(weir.port, upgrade="/on") as client:
            client.socket.settimeout(1)
            message = frame(BINARY, bytes(65536))
            with self.assertRaises(TimeoutError):
                while True:
                    client.socket.sendall(message)
            before = processor_seconds(weir)
            time.sleep(2)
            self.assertLess(processor_seconds(weir) - before, 1, "of 2 seconds in which nothing can happen")


if __name__ == "__main__":
    unittest.main()
