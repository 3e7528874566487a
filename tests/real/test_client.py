"""test_client - the client library (include/weir/client.h): the programs of examples/clients against weir, Python's
websockets and node's ws; then every kind of failure, against servers that cause it.

SPDX-License-Identifier: MIT
"""

import os
import re
import socket
import struct
import subprocess
import threading
import time
import unittest
from pathlib import Path

from client_process import example, probe
from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, frame
from raw_server import RawServer
from shipped_config import tutorial
from weir_process import EXAMPLES, PATIENCE, Weir, free_port, scaled

HERE = Path(__file__).resolve().parent

# --- The tutorial's clients --------------------------------------------------------------------------------------


class Peer:
    """A server that prints its port."""

    def __init__(self, *command):
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.port = int(self.process.stdout.readline())

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Tutorial:
    """Tests for any server, which is `self.peer`."""

    @classmethod
    def setUpClass(cls):
        cls.peer = cls.start()
        cls.addClassCleanup(cls.peer.stop)

    def test_echo_program_prints_the_echoes(self):
        sent = ["hello", "", "Grüße, 世界 🌍", "x" * 70_000]
        done = example("echo", self.peer.url("/"), *sent)
        self.assertEqual(done.stdout.split("\n"), [*sent, ""])
        self.assertEqual(done.stderr, "")

    def test_light_program_prints_the_answer(self):
        for status in ("on", "off"):
            done = example("light", self.peer.url(f"/light/{status}"), "192.168.1.20")
            self.assertEqual(done.stdout, f"the light has turned {status}\n")

    def test_unknown_path_is_reported_with_4040(self):
        done = example("light", self.peer.url("/switch/on"), "192.168.1.20", status=1)
        self.assertEqual(done.stderr, "light: closed with 4040 no route for /switch/on\n")

    def test_consumer_gets_the_lines_of_the_producer(self):
        lines = [f"line {number} ✓" for number in range(scaled(500, least=50))]
        consumer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", EXAMPLES / "clients/consumer", self.peer.url("/distribute")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            self.assertRegex(consumer.stderr.readline(), "^connected to 127.0.0.1:")
            example("producer", self.peer.url("/distribute"), stdin="\n".join(lines))
            self.assertEqual([consumer.stdout.readline().rstrip("\n") for _ in lines], lines)
        finally:
            consumer.kill()
            consumer.communicate()

    def test_command_program_prints_the_binary_answer(self):
        done = example("command", self.peer.url("/command"), '["lamp","heater"]')
        self.assertEqual(done.stdout, '2 ["lamp","heater"]\n0 \n')

    def test_client_sends_and_receives_at_once(self):
        """Compressed too, although these servers allow the client no context takeover."""
        for options in ([], ["compress"]):
            count = scaled(100, least=10)
            lines = probe(self.peer.url("/"), *options, f"flood={count},100000", "close=1000,enough")
            self.assertRegex(lines[0], "compressed$" if options else "plain$")
            self.assertEqual(lines[1:], [f"flood {count} of {count} came back, {count} pongs", "closed OK",
                                         "close 1000 enough", "error NO_ERROR 0 "])

    def test_messages_of_every_size_come_back(self):
        sizes = [0, 1, 125, 126, 127, 16370, 16376, 16384, 65535, 65536, 1000000]
        for options in ([], ["compress"]):
            with self.subTest(options=options):
                steps = [f"flood=1,{size}" for size in sizes]
                lines = probe(self.peer.url("/"), *options, *steps, "close=1000")
                self.assertEqual(lines[1:-2], ["flood 1 of 1 came back, 1 pongs"] * len(sizes) + ["closed OK"])


class WithWeir(Tutorial, unittest.TestCase):
    @staticmethod
    def start():
        return Weir(tutorial())  # compression is on, unless the configuration says no

    def test_consumer_ends_with_1001_when_the_server_stops(self):
        with Weir(tutorial()) as weir:
            consumer = subprocess.Popen(
                [EXAMPLES / "clients/consumer", weir.url("/distribute")], stderr=subprocess.PIPE, text=True
            )
            self.assertRegex(consumer.stderr.readline(), "^connected")
        self.assertRegex(consumer.communicate(timeout=PATIENCE)[1], "^closed with 1001 ")
        self.assertEqual(consumer.returncode, 0)


class WithPython(Tutorial, unittest.TestCase):
    @staticmethod
    def start():
        return Peer("/usr/bin/python3", HERE / "client_peer.py")

    def test_subprotocol_is_agreed_with_python(self):
        lines = probe(self.peer.url("/"), "subprotocol=news", "subprotocol=chat", "close=1000")
        self.assertRegex(lines[0], "subprotocol chat,")


class WithNode(Tutorial, unittest.TestCase):
    @staticmethod
    def start():
        return Peer("node", HERE / "client_peer.cjs")

    def test_subprotocol_is_agreed_with_node(self):
        lines = probe(self.peer.url("/"), "subprotocol=news", "subprotocol=chat", "close=1000")
        self.assertRegex(lines[0], "subprotocol chat,")


# --- No connection -----------------------------------------------------------------------------------------------


class ClientTestCase(unittest.TestCase):
    def assertError(self, lines, cause, text, status=0):
        self.assertRegex(lines[-1], f"^error {cause} {status} .*{text}")

    def refused(self, answer, cause, text, status=0, options=(), end=True):
        """The client gets `answer`, bytes or a function of the connection, to its request."""

        def serve(conn):
            headers = conn.request()[1]
            if callable(answer):
                answer(conn, headers)
            else:
                conn.send(answer)
            if not end:
                try:
                    conn.at_end()
                except ConnectionResetError:
                    pass

        with self.subTest(cause=cause, text=text), RawServer(serve) as server:
            self.assertError(probe(server.url(), *options), cause, text, status)


class NoConnection(ClientTestCase):
    def test_wrong_and_refused_urls_have_their_cause(self):
        port = free_port()
        for url, cause, text in [
            (f"ws://127.0.0.1:{port}/", "REFUSED", f"ws://127.0.0.1:{port}: connection refused"),
            (f"ws://localhost:{port}/", "REFUSED", f"ws://localhost:{port}: connection refused"),
            ("wss://127.0.0.1/", "NO_TLS", "wss:// requires TLS, which weir does not support yet; put a proxy such as"),
            ("http://127.0.0.1/", "BAD_ARGUMENT", "a WebSocket URL must begin with ws://"),
            ("ws://127.0.0.1:99999/", "BAD_ARGUMENT", "the port must be a number from 1 to 65535"),
        ]:
            with self.subTest(url=url):
                self.assertRegex(probe(url)[0], f"^error {cause} 0 {re.escape(text)}")

    def test_unknown_host_is_reported(self):
        """A machine whose name server is out of reach may not get an answer at all."""
        lines = probe("ws://nowhere.invalid/", "connect_timeout=3000")
        self.assertRegex(lines[0], "^error (UNKNOWN_HOST|TIMED_OUT) 0 nowhere.invalid: ")

    def test_malformed_arguments_are_refused(self):
        for option, text in [
            ("header=X", 'the header "X" is not of the form'),
            ("header=X: a\nY: b", "is not of the form"),
            ("header=Host: x", "the handshake sets the header Host itself"),
            ("header=sec-websocket-foo: x", "the handshake sets the header sec-websocket-foo itself"),
            ("subprotocol=a b", "is not a valid subprotocol"),
            ("origin=", "is not a valid Origin"),
            ("source=localhost", "is not a valid source"),
        ]:
            with self.subTest(option=option):
                self.assertError(probe("ws://127.0.0.1:1/", option), "BAD_ARGUMENT", re.escape(text))

    def test_source_address_is_used_or_reported(self):
        with RawServer(lambda conn: (conn.socket.getpeername(), conn.open(), conn.answer_close())) as server:
            self.assertRegex(probe(server.url(), "source=127.0.0.9", "close=1000")[0], "^connected")
        self.assertEqual(server.result[0][0], "127.0.0.9")
        self.assertError(probe(server.url(), "source=203.0.113.1"), "UNREACHABLE", "the source address 203.0.113.1")
        self.assertError(probe(server.url(), "source=::1"), "UNREACHABLE", "no address of the same family as the source address")

    def test_missing_answer_times_out(self):
        """The kernel has accepted the connection and no program answers, as with one that hangs or is starting."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
            lines = probe(url, "connect_timeout=1000")
            self.assertError(lines, "TIMED_OUT", "no response to the opening handshake within 1 s$")
            self.assertError(probe(url, "connect_timeout=300"), "TIMED_OUT", "within 300 ms$")

    def test_trickling_answer_times_out(self):
        def answer(conn, _):
            try:
                for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" * 10:
                    conn.send(bytes([byte]))
                    time.sleep(0.05)
            except OSError:
                pass

        self.refused(answer, "TIMED_OUT", "no response to the opening handshake within 700 ms$",
                     options=["connect_timeout=700"])


class Refusals(ClientTestCase):
    def test_refusal_is_reported_with_status_and_body(self):
        for answer, status, text in [
            (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 31\r\n\r\nthis origin may not connect\nbye", 403,
             "HTTP 403: this origin may not connect$"),
            (b"HTTP/1.1 404 Not Found\r\n\r\n", 404, "HTTP 404 Not Found$"),
            (b"HTTP/1.0 404 \r\n\r\nno such path", 404, "HTTP 404: no such path$"),
            (b"HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\n<html>no</html>", 404, "HTTP 404 Not Found$"),
            (b"HTTP/1.1 503\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlater\r\n0\r\n\r\n", 503,
             "HTTP 503: later$"),
            (b"HTTP/1.1 301 Moved\r\nLocation: wss://elsewhere/\r\n\r\n", 301, "not followed.* wss://elsewhere/$"),
            (b"HTTP/1.1 400 Bad\r\n\r\n\x1b[31mred\x07\x9b\xff \xc2\x9b \xe2\x9c\x93", 400,
             re.escape(r"HTTP 400: \x1b[31mred\x07\x9b\xff \xc2\x9b ") + "✓$"),
            (b"HTTP/1.1 400 Bad\r\n\r\n" + b"x" * 100_000, 400, "HTTP 400: x{200,}[.]{3}$"),
        ]:
            self.refused(answer, "HTTP", text, status)

    def test_refusal_waits_for_a_late_body(self):
        def answer(conn, _):
            conn.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\n")
            for piece in (b"not", b" to", b"day", b"!!"):
                time.sleep(0.02)
                conn.send(piece)

        self.refused(answer, "HTTP", "HTTP 403: not today!!$", 403, end=False)

    def test_refusal_with_endless_body_is_reported_after_the_timeout(self):
        def answer(conn, _):
            conn.send(b"HTTP/1.1 403 Forbidden\r\n\r\nno line end")

        self.refused(answer, "HTTP", "HTTP 403: no line end$", 403, end=False, options=["connect_timeout=400"])

    def test_weir_refuses_a_foreign_origin(self):
        with Weir(tutorial() + "[websocket]\norigins = https://here.example\n") as weir:
            lines = probe(weir.url("/"), "origin=https://there.example")
            self.assertError(lines, "HTTP", "HTTP 403: .+", 403)
            self.assertRegex(probe(weir.url("/"), "origin=https://here.example", "close=1000")[0], "^connected")


class Handshakes(ClientTestCase):
    def test_answer_of_another_protocol_is_reported(self):
        for answer, text in [
            (b"\x15\x03\x01\x00\x02\x02\x46", "the server requires TLS; weir does not support wss:// yet"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", 'does not speak HTTP/1.1; its response begins with "SSH-2.0-OpenSSH_9.2'),
            (b"HTTP/2 200\r\n\r\n", "does not speak HTTP/1.1"),
            (b"HTTP/1.1 abc\r\n\r\n", "has no status"),
            (b"HTTP/1.1 101 x\r\n" + b"A: b\r\n" * 4000, "longer than 16 KiB"),
            (b"HTTP/1.1 101 x\r\nA\x00: b\r\n\r\n", "zero byte"),
        ]:
            self.refused(answer, "HANDSHAKE", re.escape(text))
        for answer in (b"", b"HTTP/1.1 101 Switch"):
            self.refused(answer, "LOST", "closed the connection without a response")

    def test_invalid_101_is_refused(self):
        for changes, text in [
            ({"Sec_WebSocket_Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, "Sec-WebSocket-Accept does not match"),
            ({"Sec_WebSocket_Accept": None}, "no Sec-WebSocket-Accept"),
            ({"Upgrade": None}, "has no \"Upgrade: websocket\""),
            ({"Upgrade": "h2c"}, "has no \"Upgrade: websocket\""),
            ({"Connection": "close"}, "has no \"Connection: Upgrade\""),
            ({"Sec_WebSocket_Protocol": "news"}, "subprotocol that was not offered: news"),
            ({"Sec_WebSocket_Extensions": "permessage-deflate"}, "extension, or parameters, that were not offered"),
            ({"X": "a\r\nsec-websocket-accept: b"}, "twice"),
            ({"X": "a\r\n b"}, "malformed header"),
            ({"status": "HTTP/1.0 101 Switching Protocols"}, "HTTP/1.0"),
        ]:
            self.refused(lambda conn, headers: conn.answer(headers, **changes), "HANDSHAKE", text)

    def test_extensions_that_were_not_offered_are_refused(self):
        for extensions in (
            "permessage-deflate; x", "x-webkit-deflate-frame", "permessage-deflate, permessage-deflate",
            "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=7", "",
        ):
            self.refused(
                lambda conn, headers: conn.answer(headers, Sec_WebSocket_Extensions=extensions),
                "HANDSHAKE", "extension", options=["compress"],
            )

    def test_request_has_the_headers_asked_for(self):
        def serve(conn):
            request = conn.request()
            conn.answer(request[1], Sec_WebSocket_Protocol="v2")
            conn.answer_close()
            return request

        with RawServer(serve) as server:
            url = f"ws://user:p%40ss@127.0.0.1:{server.port}?q=1"
            lines = probe(url, "subprotocol=v1", "subprotocol=v2", "origin=https://a.example",
                          "header=X-Token: t 1", "compress", "close=1000")
        self.assertRegex(lines[0], "subprotocol v2, plain")
        first, headers = server.result
        self.assertEqual(first, "GET /?q=1 HTTP/1.1")
        self.assertEqual(len(headers.pop("sec-websocket-key")), 24)
        self.assertEqual(headers, {
            "host": f"127.0.0.1:{server.port}", "upgrade": "websocket", "connection": "Upgrade",
            "sec-websocket-version": "13", "sec-websocket-protocol": "v1, v2", "origin": "https://a.example",
            "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
            "authorization": "Basic dXNlcjpwQHNz", "x-token": "t 1",
        })

    def test_interim_responses_are_skipped(self):
        def serve(conn):
            headers = conn.request()[1]
            conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2)
            conn.answer(headers, behind=frame(TEXT, b"hello", masked=False))
            conn.close(1000)

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "run")[1:3], ["text hello", "run CLOSED"])

    def test_frames_directly_after_the_101_are_received(self):
        def serve(conn):
            frames = frame(TEXT, b"first", masked=False) + frame(TEXT, b"second", masked=False)
            conn.answer(conn.request()[1], behind=frames)
            conn.close(1000)

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "run")[1:4], ["text first", "text second", "run CLOSED"])

    def test_101_in_single_bytes_is_accepted(self):
        def serve(conn):
            headers = conn.request()[1]
            pieces = []
            send, conn.send = conn.send, pieces.append
            conn.answer(headers, behind=frame(TEXT, b"split", masked=False))
            conn.send = send
            for byte in pieces[0]:
                conn.send(bytes([byte]))
            conn.close(1000)

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "run")[1:3], ["text split", "run CLOSED"])


# --- A connection, and its end -----------------------------------------------------------------------------------


class Failures(ClientTestCase):
    def fails(self, data, cause, text, code, options=()):
        """The client fails the connection after these bytes and sends a Close with this code (None: no Close)."""

        def serve(conn):
            conn.open()
            conn.send(data)
            if code is not None:
                return conn.expect_close().close_code

        with self.subTest(text=text), RawServer(serve) as server:
            lines = probe(server.url(), *options, "run", "send=late", "close=1000")
            self.assertEqual(lines[-5:-2], ["run FAILED", "send FAILED", "closed FAILED"])
            self.assertRegex(lines[-2], f"^close {code or 1006} ")
            self.assertError(lines, cause, text)
        self.assertEqual(server.result, code)

    def test_protocol_violations_are_closed_and_reported(self):
        for data, code, text in [
            (frame(TEXT, b"hello"), 1002, "a frame is masked"),
            (frame(TEXT, b"\xff", masked=False), 1007, "a text is not UTF-8"),
            (frame(TEXT, b"x", masked=False, flags=FIN | RSV1), 1002, "a reserved bit is set"),
            (frame(3, b"x", masked=False), 1002, "an opcode is reserved"),
            (frame(PING, b"x", masked=False, flags=0), 1002, "a control frame is fragmented"),
            (frame(PING, b"x" * 126, masked=False), 1002, "longer than 125 bytes"),
            (frame(CONTINUATION, b"x", masked=False), 1002, "a continuation without a message"),
            (frame(CLOSE, struct.pack("!H", 1005), masked=False), 1002, "a code that must not be sent"),
            (frame(CLOSE, b"x", masked=False), 1002, "half a code"),
        ]:
            self.fails(data, "PROTOCOL", f"the server violated the protocol: .*{text}", code)

    def test_message_over_max_message_size_closes_with_1009(self):
        data = frame(BINARY, b"x" * 1000, masked=False) + frame(BINARY, b"x" * 1001, masked=False)
        self.fails(data, "TOO_BIG", "max_message_size is 1000 bytes", 1009, ["max_message_size=1000"])

    def test_end_without_a_close_is_reported_as_lost(self):
        self.fails(frame(TEXT, b"bye", masked=False), "LOST", "ended the connection without a closing handshake", None)

    def test_reset_is_reported_as_lost(self):
        def serve(conn):
            conn.open()
            conn.frame()
            conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.socket.close()

        with RawServer(serve) as server:
            lines = probe(server.url(), "send=hello", "run")
            self.assertEqual(lines[1:3], ["send OK", "run FAILED"])
            self.assertError(lines, "LOST", "the server reset the connection")

    def test_send_times_out_if_the_server_does_not_read(self):
        gone = threading.Event()

        def serve(conn):
            conn.open()
            gone.wait(PATIENCE)

        with RawServer(serve, buffers=4096) as server:
            lines = probe(server.url(), "send_timeout=300", "binary=50000000", "send=more", "receive=0")
            gone.set()
            self.assertEqual(lines[1:4], ["send FAILED", "send FAILED", "receive FAILED"])
            self.assertError(lines, "TIMED_OUT", "a message was not sent within 300 ms")


class Closing(ClientTestCase):
    def test_close_of_the_server_is_answered_and_reported(self):
        def serve(conn):
            conn.open()
            conn.send_frame(TEXT, b"last words")
            conn.send_frame(CLOSE, struct.pack("!H", 4040) + b"no route for /")
            answer = conn.frame()
            return answer.opcode, answer.close_code, len(answer.payload)

        with RawServer(serve) as server:
            lines = probe(server.url(), "run", "send=late", "close=1000")
            self.assertEqual(lines[1:], ["text last words", "run CLOSED", "send CLOSED", "closed OK",
                                         "close 4040 no route for /", "error NO_ERROR 0 "])
        self.assertEqual(server.result, (CLOSE, 4040, 2))

    def test_close_without_code_is_reported_as_1005(self):
        def serve(conn):
            conn.open()
            conn.send_frame(CLOSE)
            return conn.frame()

        with RawServer(serve) as server:
            self.assertIn("close 1005 ", probe(server.url(), "run"))
        self.assertEqual(server.result, (CLOSE, b""))

    def test_client_waits_for_the_end_of_the_stream(self):
        """So that the TIME_WAIT is the server's (7.1.1), and no last byte is lost."""
        def serve(conn):
            conn.open()
            got = conn.frame()
            conn.send_frame(CLOSE, got.payload)
            conn.socket.settimeout(0.3)
            try:
                return conn.at_end()
            except TimeoutError:
                return "still there"

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "close=1001,away")[1:3], ["closed OK", "close 1001 away"])
        self.assertEqual(server.result, "still there")

    def test_messages_before_the_close_answer_are_skipped(self):
        def serve(conn):
            conn.open()
            conn.frame()
            for number in range(100):
                conn.send_frame(BINARY, b"x" * 10_000)
            conn.send_frame(CLOSE, struct.pack("!H", 1000))

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "close=1000")[1], "closed OK")

    def test_close_without_answer_times_out(self):
        def serve(conn):
            conn.open()
            conn.frame()
            return conn.at_end()

        with RawServer(serve) as server:
            lines = probe(server.url(), "close_timeout=200", "close=1000")
            self.assertEqual(lines[1:3], ["closed FAILED", "close 1006 "])
            self.assertError(lines, "TIMED_OUT", "did not answer our Close within 200 ms")

    def test_close_does_not_wait_for_an_endless_stream(self):
        def serve(conn):
            conn.open()
            conn.send_frame(CLOSE, struct.pack("!H", 1000))
            conn.frame()
            return conn.at_end()

        with RawServer(serve) as server:
            lines = probe(server.url(), "close_timeout=200", "run", "close=1000")
            self.assertEqual(lines[1:3], ["run CLOSED", "closed OK"])

    def test_close_times_out_against_a_flood(self):
        """The server always has more messages than the client has read."""

        def serve(conn):
            conn.open()
            conn.send_frame(TEXT, b"please close")
            messages = frame(BINARY, b"x" * 1000, masked=False) * 10_000
            try:
                while True:
                    conn.send(messages)
            except OSError:
                pass

        with RawServer(serve) as server:
            lines = probe(server.url(), "close_timeout=100", "slowly", "run")
            self.assertEqual(lines[-3:-1], ["run FAILED", "close 1006 "])
            self.assertError(lines, "TIMED_OUT", "did not answer our Close within 100 ms")

    def test_message_outlives_a_close_by_another_thread(self):
        """Assembled from two frames, the message is in memory that a close frees."""

        def serve(conn):
            conn.open()
            conn.send(frame(TEXT, b"still ", masked=False, flags=0) + frame(CONTINUATION, b"there", masked=False))
            conn.answer_close()

        with RawServer(serve) as server:
            lines = probe(server.url(), "closed_while_held", "receive=10000")
            self.assertEqual(lines[1:], ["receive OK", "closed OK", "text still there", "receive CLOSED",
                                         "close 1000 enough", "error NO_ERROR 0 "])

    def test_close_ends_the_receiving_thread(self):
        with RawServer(lambda conn: (conn.open(), conn.answer_close())) as server:
            lines = probe(server.url(), "closed_while_running")
            self.assertEqual(lines[1:], ["closed OK", "run CLOSED", "close 1000 enough", "error NO_ERROR 0 "])

    def test_close_without_answer_ends_the_receiving_thread(self):
        """The receiver sleeps without a timeout when the close timeout begins."""

        def serve(conn):
            conn.open()
            conn.frame()
            return conn.at_end()

        with RawServer(serve) as server:
            lines = probe(server.url(), "close_timeout=200", "closed_while_running")
            self.assertEqual(lines[1:4], ["closed OK", "run FAILED", "close 1006 "])
            self.assertError(lines, "TIMED_OUT", "did not answer our Close within 200 ms")

    def test_close_within_the_callback_succeeds(self):
        def serve(conn):
            conn.open()
            conn.send_frame(TEXT, b"please close")
            conn.send_frame(TEXT, b"crossed")
            conn.answer_close()

        with RawServer(serve) as server:
            self.assertEqual(probe(server.url(), "run")[1:], ["closed OK", "text crossed", "run CLOSED",
                                                              "close 1000 as you wish", "error NO_ERROR 0 "])

    def test_invalid_close_and_ping_are_refused(self):
        with RawServer(lambda conn: (conn.open(), conn.answer_close())) as server:
            lines = probe(server.url(), "close=1005", "close=999", "close=1000," + "x" * 124, "ping=" + "x" * 126,
                          "receive=0", "close=1000," + "x" * 123)
            self.assertEqual(lines[1:7], ["closed INVALID"] * 3 + ["ping INVALID", "receive TIMEOUT", "closed OK"])


class Traffic(ClientTestCase):
    def test_receiving_never_waits_for_sending(self):
        """The server stops reading while it cannot send, like any server that answers what it reads, and sends pings
        meanwhile. A client whose receiving waits for its sending would deadlock."""
        count, size = scaled(64, least=16), 1 << 20

        def serve(conn):
            conn.open()
            last, pongs, echoed = None, [], 0
            while echoed < count or not pongs or pongs[-1] != last:
                got = conn.frame()
                if got.opcode == BINARY:
                    echoed += 1
                    last = f"ping {echoed}".encode()
                    conn.send_frame(PING, last)
                    conn.send_frame(BINARY, got.payload)
                elif got.opcode == PING:
                    conn.send_frame(PONG, got.payload)
                elif got.opcode == PONG:
                    pongs.append(got.payload)
            return echoed, conn.close(1000)[0]

        with RawServer(serve, buffers=65536) as server:
            lines = probe(server.url(), f"flood={count},{size}", "run")
        self.assertEqual(lines[1:], [f"flood {count} of {count} came back, {count} pongs", "run CLOSED",
                                     "close 1000 ", "error NO_ERROR 0 "])
        self.assertEqual(server.result, (count, CLOSE))

    def test_pongs_that_do_not_fit_are_left_out(self):
        """The socket fills up with Pongs. Those that do not fit are left out and none is cut in two. The last one
        arrives although no further input wakes the client."""
        count = 30_000

        def serve(conn):
            conn.open()
            pings = [frame(PING, b"%0125d" % number, masked=False) for number in range(count)]
            conn.send(b"".join(pings))
            time.sleep(0.5)  # until the client has seen all of them and sleeps; if it has not, the test is milder
            numbers = []
            while not numbers or numbers[-1] != count - 1:
                got = conn.frame()
                self.assertEqual(got.opcode, PONG)
                numbers.append(int(got.payload))
            conn.close(1000)
            return numbers

        with RawServer(serve, buffers=4096) as server:
            self.assertEqual(probe(server.url(), "run")[1], "run CLOSED")
        self.assertEqual(server.result, sorted(set(server.result)))
        self.assertLess(len(server.result), count)

    def test_masks_differ(self):
        def serve(conn):
            conn.open()
            masks = set()
            for _ in range(200):
                conn.frame()
                masks.add(conn.mask)
            conn.close(1000)
            return masks

        with RawServer(serve) as server:
            probe(server.url(), *["send=x"] * 200, "run")
        self.assertGreater(len(server.result), 190)

    def test_frames_in_single_bytes_are_received(self):
        pieces = (frame(TEXT, "Grü".encode(), masked=False, flags=0), frame(PING, b"p", masked=False),
                  frame(CONTINUATION, "ße".encode(), masked=False), frame(BINARY, b"y" * 300, masked=False))

        def serve(conn):
            conn.open()
            for byte in b"".join(pieces):
                conn.send(bytes([byte]))
            pong = conn.frame()
            conn.close(1000)
            return pong

        with RawServer(serve) as server:
            lines = probe(server.url(), "run")
        self.assertEqual(lines[1:4], ["text Grüße", "binary of 300 bytes", "run CLOSED"])
        self.assertEqual(server.result, (PONG, b"p"))

    def test_receive_times_out_or_returns_a_message(self):
        def serve(conn):
            conn.open()
            conn.frame()
            conn.send_frame(TEXT, b"now")
            conn.close(1000)

        with RawServer(serve) as server:
            lines = probe(server.url(), "receive=0", "receive=50", "send=go", "receive=10000", "receive=10000")
            self.assertEqual(lines[1:7], ["receive TIMEOUT", "receive TIMEOUT", "send OK", "receive OK",
                                          "text now", "receive CLOSED"])


if __name__ == "__main__":
    unittest.main()
