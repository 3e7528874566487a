"""test_text - bytes that are not UTF-8 reach no text frame, Close, JSON or log line: the API refuses them where it can
report an error, and text that is only shown is escaped.

SPDX-License-Identifier: MIT
"""

import json
import tempfile
import unittest
from pathlib import Path

from plugin_build import compile_plugin
from raw_client import BINARY, CLOSE, TEXT, RawClient, close_frame, fetch, frame, request, upgrade_headers
from weir_process import Weir, free_port

INVALID = b"-4"

BAD = (b"\xff", b"caf\xe9", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
       b"x" * 300 + b"\xfe" + b"y" * 300)
GOOD = ("ann", "café", "日本語", "🙂" * 100)

CONFIGURATION = """
[server]
listen = 127.0.0.1:PORT
[log]
level = debug
format = json
[admin]
listen = 127.0.0.1:ADMIN
[route /says]
handler = plugin:PLUGIN
"""


def connect(weir, path, **headers):
    """A client, or the response that refused it."""
    client = RawClient(weir.port)
    client.send(request(path, upgrade_headers(**headers)))
    response = client.response()
    if response.status == 101:
        return client
    client.socket.close()
    return response


def as_header(raw):
    return raw.decode("latin-1")


class Text(unittest.TestCase):
    def setUp(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
        configuration = CONFIGURATION.replace("ADMIN", str(free_port()))
        configuration = configuration.replace("PLUGIN", str(compile_plugin("says_any_bytes", directory)))
        self.weir = self.enterContext(Weir(configuration))

    def call(self, client, function, text):
        client.send(frame(BINARY, function + text))
        return client.frame()

    def test_api_refuses_text_that_is_not_utf8(self):
        with connect(self.weir, "/says") as client, connect(self.weir, "/says") as other:
            self.assertEqual(self.call(other, b"n", b"room:all"), (BINARY, b"0"))
            for text in BAD:
                for function in (b"s", b"b", b"B", b"p", b"f", b"j", b"c", b"n"):
                    with self.subTest(function=function, text=text):
                        self.assertEqual(self.call(client, function, text), (BINARY, INVALID))
            self.assertEqual(self.call(client, b"p", "grüß".encode()), (BINARY, b"1"))
            self.assertEqual(other.frame(), (TEXT, "grüß".encode()), "nothing came before it")
            self.assertEqual(self.call(client, b"j", b'"\xc3\xbc"'), (BINARY, b"1"))
            self.assertEqual(other.frame(), (TEXT, b'"\xc3\xbc"'))

    def test_received_text_can_be_sent_but_not_half_a_character(self):
        with connect(self.weir, "/says") as client:
            for text in ("ü".encode(), b"x" * 5000 + "ü".encode()):
                client.send(frame(TEXT, text) + frame(BINARY, b"s!"))
                self.assertEqual(client.frame(), (TEXT, text))
                self.assertEqual(client.frame(), (TEXT, b"!"), "the part that ends within a character is not sent")
                self.assertEqual(client.frame(), (BINARY, b"0"))

    def test_user_names_must_be_utf8_of_at_most_255_bytes(self):
        for name in (*BAD, b"\xc2\x85", b"x" * 256):
            with self.subTest(name=name):
                response = connect(self.weir, "/says", User=as_header(name))
                self.assertEqual((response.status, response.body), (400, INVALID))
        for name in (*(name.encode() for name in GOOD if len(name.encode()) <= 255), b"x" * 255):
            with self.subTest(name=name):
                connect(self.weir, "/says", User=as_header(name)).socket.close()

    def test_refusal_body_replaces_invalid_utf8(self):
        for body, shown in ((b"caf\xe9!", b"caf?!"), ("café".encode(), "café".encode()), (b"\xf0\x9f\x99x", b"???x")):
            response = connect(self.weir, "/says", Refuse_With=as_header(body))
            self.assertEqual((response.status, response.body), (403, shown))

    def test_log_is_json_for_any_client_bytes(self):
        agent = as_header(b"agent \xff\xc2\x9b31m")
        with connect(self.weir, "/says", User_Agent=agent, User="ann") as client:
            client.send(close_frame(4001, "tschüß\x1b[2J".encode()))
            self.assertEqual(client.frame().opcode, CLOSE)
        fetch(self.weir.port, request("/says?\xff", upgrade_headers(Origin=as_header(b"http://\xff"))))
        fetch(self.weir.port, request("/%ff"))
        self.weir.log_line("close", "agent")
        for line in self.weir.log().splitlines():
            if line.startswith("{"):
                json.loads(line)
        self.assertNotIn("\x9b", self.weir.log())


if __name__ == "__main__":
    unittest.main()
