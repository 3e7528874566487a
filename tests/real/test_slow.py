"""test_slow - clients that read slowly, send fast or use much memory: what they lose and when they are closed; other
clients are not disturbed, and the server's memory stays bounded.

SPDX-License-Identifier: MIT
"""

import re
import struct
import tempfile
import time
import unittest
import zlib

from plugin_build import compile_plugin
from process_state import MIB, SANITIZED, memory, peak_memory
from raw_client import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, SmallWindow
from raw_client import RawClient, close_frame, frame, request, upgrade_headers
from weir_process import PATIENCE, Weir, WeirTestCase, scaled, until

SIZE = 50000


def numbered(number):
    """A frame whose payload begins with its number; the mask is zero, which saves time."""
    payload = struct.pack("!I", number) + bytes(SIZE - 4)
    return struct.pack("!BBH4x", FIN | BINARY, 0x80 | 126, SIZE) + payload


def leave(client):
    client.send(close_frame(1000))
    if client.frame().close_code != 1000 or not client.at_end():
        raise AssertionError("the server does not end in order")
    client.socket.close()


def read_to_silence(client, seconds=0.5):
    """Reads all that the kernel and the server have for it, until nothing has come for a while."""
    client.socket.settimeout(seconds)
    try:
        while client._fill():
            pass
    except TimeoutError:
        pass
    client.socket.settimeout(PATIENCE)


class Policies(WeirTestCase):
    configuration = """[server]
listen = 127.0.0.1:PORT
[websocket]
max_message_size = 64KiB
send_buffer_soft = 64KiB
send_buffer_hard = 1280KiB
compression = off
ping_interval = 0
""" + "".join(
        f"[route /{policy}]\nhandler = broadcast\nslow_consumer = {policy}\necho_self = no\n"
        for policy in ("disconnect", "drop-oldest", "drop-newest")
    )
    messages = 400

    def flood(self, path):
        """Returns the client that has not read, and the publisher; three other clients have got every message."""
        clients = [SmallWindow(self.weir.port, path)] + [RawClient(self.weir.port, path) for _ in range(4)]
        for client in clients:
            self.addCleanup(client.socket.close)
        silent, publisher, *readers = clients
        for start in range(0, self.messages, 10):
            publisher.send(b"".join(numbered(number) for number in range(start, start + 10)))
            for reader in readers:
                for number in range(start, start + 10):
                    opcode, payload = reader.frame()
                    self.assertEqual((opcode, payload[:4], len(payload)), (BINARY, struct.pack("!I", number), SIZE))
        for reader in readers:
            leave(reader)
        return silent, publisher

    def drops(self, path):
        """The numbers that the silent client gets when it begins to read; it stays connected, and its log line is
        true."""
        silent, publisher = self.flood(path)
        read_to_silence(silent)
        publisher.send(frame(TEXT, b"end"))
        numbers = []
        while (got := silent.frame()).opcode == BINARY:
            self.assertEqual(len(got.payload), SIZE)
            numbers.append(struct.unpack("!I", got.payload[:4])[0])
        self.assertEqual(got, (TEXT, b"end"))
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertLess(len(numbers), self.messages)
        peer = "127.0.0.1:%d" % silent.socket.getsockname()[1]
        leave(silent)
        self.weir.log_line("event=close", f"peer={peer} ", "code=1000", f" dropped={self.messages - len(numbers)}")
        return numbers

    def test_disconnect_closes_a_slow_client_with_1013(self):
        silent, _ = self.flood("/disconnect")
        while (got := silent.frame()).opcode == BINARY:
            pass
        self.assertEqual((got.opcode, got.close_code), (CLOSE, 1013))
        silent.send(close_frame(1013))
        self.assertTrue(silent.at_end())
        silent.socket.close()
        self.weir.log_line("event=close", "route=/disconnect", "code=1013", "client reads too slowly")

    def test_drop_oldest_delivers_the_last_message(self):
        self.assertEqual(self.drops("/drop-oldest")[-1], self.messages - 1)

    def test_drop_newest_delivers_the_first_messages(self):
        numbers = self.drops("/drop-newest")
        # What the socket has taken, and a backlog of 25, are the first ones.
        self.assertEqual(numbers[:20], list(range(20)))


class Stream(unittest.TestCase):
    def test_drained_bounds_the_memory_of_a_stream(self):
        """A handler produces more than fits into memory, for a client that reads with pauses."""
        pieces, size = scaled(1 << 14), 65536
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = compile_plugin("stream", directory, "-O1")
            configuration = "[server]\nlisten = 127.0.0.1:PORT\n[websocket]\ncompression = off\nping_interval = 0\n"
            with Weir(configuration + f"[route /stream]\nhandler = plugin:{plugin}\n") as weir:
                before = memory(weir)
                with RawClient(weir.port, "/stream") as client:
                    client.send(frame(TEXT, b"%d\0" % pieces))
                    self.read(client, pieces, size)
                    grown = peak_memory(weir) - before
                    leave(client)
                print(f"{pieces * size >> 20} MiB, grew by {grown >> 10} KiB ", end="", flush=True)
                if not SANITIZED:
                    self.assertLess(grown, 32 * MIB)

    def read(self, client, pieces, size):
        data = memoryview(bytearray(size + 10))
        for number in range(pieces):
            if number % 1000 == 0:
                time.sleep(0.05)
            taken = min(len(client.buffer), len(data))
            data[:taken], client.buffer = client.buffer[:taken], client.buffer[taken:]
            while taken < len(data):
                got = client.socket.recv_into(data[taken:])
                self.assertGreater(got, 0)
                taken += got
            self.assertEqual(struct.unpack_from("<I", data, 10)[0], number)
        self.assertEqual(client.buffer, b"")


class SendTimeout(WeirTestCase):
    configuration = """[server]
listen = 127.0.0.1:PORT
[websocket]
send_timeout = 1s
ping_interval = 0
compression = off
[route /echo]
handler = echo
"""

    def fill(self):
        """A client that sends without reading, until the server takes no more."""
        client = SmallWindow(self.weir.port, "/echo")
        self.addCleanup(client.socket.close)
        client.socket.settimeout(0.3)
        try:
            while True:
                client.socket.sendall(numbered(0))
        except (TimeoutError, ConnectionError):
            client.socket.settimeout(PATIENCE)
        return client

    def test_send_timeout_cuts_a_client_that_never_reads(self):
        start = time.monotonic()
        client = self.fill()
        peer = "127.0.0.1:%d" % client.socket.getsockname()[1]
        self.weir.log_line("event=close", f"peer={peer} ", "code=1006", "client has taken nothing for send_timeout")
        self.assertGreater(time.monotonic() - start, 1)

    def test_send_timeout_spares_a_client_that_reads_slowly(self):
        """200 kB/s: much less per second than a socket buffer must drain before it reports room."""
        client = self.fill()
        for _ in range(40):
            client.socket.setblocking(True)
            self.assertGreater(len(client.socket.recv(20000)), 0)
            time.sleep(0.1)
        peer = "127.0.0.1:%d" % client.socket.getsockname()[1]
        closed = [line for line in self.weir.log().splitlines() if "event=close" in line and f"peer={peer} " in line]
        self.assertEqual(closed, [])


def rated(policy, limits):
    return f"""[server]
listen = 127.0.0.1:PORT
[websocket]
rate_policy = {policy}
{limits}ping_interval = 300ms
ping_timeout = 500ms
[route /echo]
handler = echo
compression = on
"""


def answer(client):
    """The next frame that is not a Ping; Pings are answered."""
    while (got := client.frame()).opcode == PING:
        client.send(frame(PONG, got.payload))
    return got


def compressed(payload):
    deflater = zlib.compressobj(9, wbits=-15)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


class MessageRate(WeirTestCase):
    configuration = rated("pause", "message_rate = 200\n")

    def check(self, client, message):
        start = time.monotonic()
        client.send(message * 599 + frame(PING, b"last"))
        for _ in range(599):
            self.assertEqual(answer(client), (TEXT, b"message"))
        self.assertEqual(answer(client), (PONG, b"last"))
        self.assertGreaterEqual(time.monotonic() - start, (600 - 201) / 200)

    def test_message_rate_pauses_a_fast_client(self):
        with RawClient(self.weir.port, "/echo") as client:
            self.check(client, frame(TEXT, b"message"))

    def test_message_rate_counts_compressed_messages(self):
        with RawClient(self.weir.port) as client:
            client.send(request("/echo", upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate")))
            self.assertIn("permessage-deflate", client.response().headers["sec-websocket-extensions"])
            self.check(client, frame(TEXT, compressed(b"message"), flags=FIN | RSV1))

    def test_message_rate_counts_pings(self):
        with RawClient(self.weir.port, "/echo") as client:
            start = time.monotonic()
            client.send(frame(PING, b"x") * 600)
            for _ in range(600):
                self.assertEqual(answer(client), (PONG, b"x"))
            self.assertGreaterEqual(time.monotonic() - start, (600 - 201) / 200)

    def test_message_rate_delays_no_other_client(self):
        with RawClient(self.weir.port, "/echo") as fast, RawClient(self.weir.port, "/echo") as other:
            fast.send(frame(TEXT, b"message") * 1000)  # four seconds
            for _ in range(20):
                other.send(frame(TEXT, b"other"))
                self.assertEqual(answer(other), (TEXT, b"other"))
            fast.vanish()


class ByteRate(WeirTestCase):
    configuration = rated("pause", "byte_rate = 32KiB\n")

    def test_byte_rate_pauses_a_fast_client(self):
        """Each read may be two seconds' worth, longer than a ping may take; the client must not be closed for that."""
        with RawClient(self.weir.port, "/echo") as client:
            message = frame(BINARY, bytes(16000))
            start = time.monotonic()
            client.send(message * 12)
            for _ in range(12):
                self.assertEqual(answer(client), (BINARY, bytes(16000)))
            # One second's worth is free, and so is the last read.
            self.assertGreaterEqual(time.monotonic() - start, (12 * len(message) - 65536) / 32768 - 1)
            client.send(frame(PING, b"there?"))
            self.assertEqual(answer(client), (PONG, b"there?"))


class RateClose(unittest.TestCase):
    def test_rate_closes_for_messages(self):
        self.check("message_rate = 50\n", frame(TEXT, b"x") * 200)

    def test_rate_closes_for_pings(self):
        self.check("message_rate = 50\n", frame(PING, b"x") * 200)

    def test_rate_closes_for_bytes(self):
        self.check("byte_rate = 10KiB\n", frame(BINARY, bytes(60000)) * 4)

    def test_rate_closes_for_compressed_messages(self):
        self.check("message_rate = 50\n", frame(TEXT, compressed(b"x"), flags=FIN | RSV1) * 200)

    def check(self, limits, flood):
        with Weir(rated("close", limits)) as weir, RawClient(weir.port) as client, RawClient(weir.port, "/echo") as other:
            client.send(request("/echo", upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate")))
            client.response()
            client.send_all_it_takes(flood)
            while (got := client.frame(reserved=RSV1)).opcode != CLOSE:
                pass
            self.assertEqual(got.close_code, 1008)
            client.vanish()
            weir.log_line("event=close", "code=1008", "client sends too fast")
            other.send(frame(TEXT, b"slow"))
            self.assertEqual(answer(other), (TEXT, b"slow"))


class MemoryLimit(WeirTestCase):
    limit = 16 * MIB
    configuration = """[server]
listen = 127.0.0.1:PORT
memory_limit = 16MiB
[websocket]
max_message_size = 1MiB
send_buffer_hard = 64MiB
close_timeout = 500ms
ping_interval = 0
compression = off
[log]
level_conn = debug
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
echo_self = no
"""
    clients = 50

    def setUp(self):
        self.small = RawClient(self.weir.port, "/echo")
        self.addCleanup(self.small.socket.close)
        self.beside = [RawClient(self.weir.port, "/echo") for _ in range(5)]
        for client in self.beside:  # they use some memory, but little
            self.addCleanup(client.socket.close)
            client.send(frame(BINARY, bytes(1000), flags=0))

    def shed(self):
        return self.weir.log().count("server is short of memory")

    def untouched(self):
        for client in [self.small, *self.beside]:
            client.send(frame(PING, b"there?"))
            self.assertEqual(client.frame(), (PONG, b"there?"))

    def rounds(self, attack):
        peaks = []
        for _ in range(3):
            before = self.shed()
            clients = attack()
            until(lambda: self.shed() > before, "a client is closed")
            self.untouched()
            peaks.append(peak_memory(self.weir))
            for client in clients:
                client.vanish()
            until(lambda: len(self.open_connections()) == 1 + len(self.beside), "the others have gone")
            before = self.shed()
            time.sleep(0.3)  # and now nothing happens
            self.assertEqual(self.shed(), before)
            self.untouched()
        print(" ".join(f"{peak >> 20} MiB" for peak in peaks), end=" ", flush=True)
        if not SANITIZED:
            self.assertLess(max(peaks), 400 * MIB)

    def open_connections(self):
        log = self.weir.log()
        return set(re.findall(r"event=open conn=(\d+) ", log)) - set(re.findall(r"event=close conn=(\d+) ", log)) - self.earlier

    def test_memory_limit_bounds_unfinished_messages(self):
        self.earlier = self.connections_before()
        half = struct.pack("!BBQ4x", BINARY, 0x80 | 127, 900000) + bytes(900000)

        def attack():
            clients = [RawClient(self.weir.port, "/echo") for _ in range(scaled(400, 50))]
            for client in clients:
                client.send_all_it_takes(half)
            return clients

        self.rounds(attack)

    def test_memory_limit_bounds_backlogs_of_a_broadcast(self):
        self.earlier = self.connections_before()
        message = struct.pack("!BBQ4x", FIN | BINARY, 0x80 | 127, MIB) + bytes(MIB)

        def attack():
            clients = [SmallWindow(self.weir.port, "/broadcast") for _ in range(self.clients)]
            publisher = RawClient(self.weir.port, "/broadcast")
            before = self.shed()
            for _ in range(100):
                publisher.send(message)
                if self.shed() > before:
                    break
            return [*clients, publisher]

        self.rounds(attack)

    def connections_before(self):
        """The connections of earlier tests, which may still be ending."""
        mine = {"127.0.0.1:%d" % client.socket.getsockname()[1] for client in [self.small, *self.beside]}
        return {conn for conn, peer in re.findall(r"event=open conn=(\d+) peer=(\S+)", self.weir.log()) if peer not in mine}


if __name__ == "__main__":
    unittest.main()
