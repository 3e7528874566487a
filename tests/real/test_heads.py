"""test_heads - how the heads of requests are read, on the public listener and on the admin listener. The latter keeps
connections alive, so a head that is misread would turn a body into a request. Over raw sockets; cases that need only
one listener are in tests/conformance/rfc9112_heads.py.

SPDX-License-Identifier: MIT
"""

import re
import socket
import unittest
from collections import Counter

from admin_server import WithAdmin
from raw_client import TEXT, RawClient, fetch, frame, request, upgrade_headers
from weir_process import Weir, WeirTestCase, run_weir, scaled, until

SERVER = "[server]\nlisten = 127.0.0.1:PORT\n"
ADMIN = "[admin]\nlisten = 127.0.0.1:ADMIN\n"
ROUTES = "[route /echo]\nhandler = echo\n"


def head(*lines, first="GET /healthz HTTP/1.1"):
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


PUBLISH = "POST /api/channels/a/messages HTTP/1.1"
WRONG = {
    "a blank before the colon": (head("Host: localhost", "Content-Length : 5", first=PUBLISH) + b"hello", 400),
    "a folded line": (head("Host: localhost", "X-A: b", " Content-Length: 5", first=PUBLISH) + b"hello", 400),
    "a folded line, the last": (head("Host: localhost", "Content-Length: 5", "X-A: b", " c", first=PUBLISH) + b"hello", 400),
    "no Host": (head(), 400),
    "two Hosts": (head("Host: localhost", "Host: localhost"), 400),
    "LF alone": (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400),
    "two empty lines before": (b"\r\n\r\n" + head("Host: localhost"), 400),
    "no number for a length": (head("Host: localhost", "Content-Length: x"), 400),
    "a target without a path or a scheme": (head("Host: localhost", first="GET healthz HTTP/1.1"), 400),
    "a long path": (head("Host: localhost", first=f"GET /{'x' * 4096} HTTP/1.1"), 414),
    "65 fields": (head("Host: localhost", *["A: b"] * 64), 431),
    "a large head": (head("Host: localhost", f"Cookie: {'c' * 17000}"), 431),
}
RIGHT = {
    "blanks after Host": head("Host: 127.0.0.1  "),
    "blanks after a length": head("Host: h", "Content-Length: 0 "),
    "64 fields": head("Host: h", *["A: b"] * 63),
    "an empty line before": b"\r\n" + head("Host: h"),
}


class Both(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.weir = cls.enterClassContext(WithAdmin(SERVER + ADMIN + ROUTES))
        cls.ports = {"clients": cls.weir.port, "operators": cls.weir.admin_port}

    def each(self, cases):
        """(arguments for subTest(), port, case) for both listeners."""
        for listener, port in self.ports.items():
            for name, case in cases.items():
                yield {"listener": listener, "case": name}, port, case

    def test_malformed_heads_get_a_reason_and_the_end(self):
        for name, port, (data, status) in self.each(WRONG):
            with self.subTest(**name), RawClient(port) as client:
                client.send_all_it_takes(data)
                response = client.response()
                self.assertEqual(response.status, status, response)
                self.assertEqual(response.headers["connection"], "close")
                self.assertGreater(len(response.body), len("Bad Request\n"))
                self.assertNotIn(b"Bad Request", response.body)
                self.assertTrue(client.at_end())

    def test_two_line_feeds_do_not_end_a_head(self):
        """Whatever an earlier request left in the thread's buffer."""
        for name, port, ends in self.each({"earlier heads": (b"\r\n\r\n", b"\n\n")}):
            for _ in range(40):  # there are 16 threads
                statuses = [fetch(port, b"GET /healthz HTTP/1.0" + end).status for end in ends]
                self.assertEqual(statuses, [200, 400], name)

    def test_reason_of_a_bad_request_is_logged(self):
        for status, reason in ((400, "a blank stands before the colon of a header field"),
                               (431, "the request's head is larger than 16384 bytes")):  # fmt: skip
            data = next(data for data, expected in WRONG.values() if expected == status)
            data = WRONG["a large head"][0] if status == 431 else data

            def logged(status=status, reason=reason, data=data):
                fetch(self.weir.port, data)  # one line a second
                return re.search(f"event=bad_request.* status={status} reason=\"{reason}", self.weir.log())

            until(logged, f"a line about {status}")

    def test_malformed_heads_are_counted(self):
        refused = 'weir_connections_refused_total{reason="handshake"}'
        before = self.weir.metrics()[refused]
        for data, _ in WRONG.values():
            fetch(self.weir.port, data)
        self.assertEqual(self.weir.metrics()[refused], before + len(WRONG))

    def test_absolute_uris_are_accepted(self):
        """Whatever their host and port."""
        targets = ("http://example.com/readyz", "http://example.com:80/readyz", "https://example.com/readyz?a=b:c",
                   "http://[::1]:9/readyz", "http://example.com:{port}/readyz")  # fmt: skip
        for name, port, target in self.each({target: target for target in targets}):
            with self.subTest(**name):
                response = fetch(port, head("Host: x", first=f"GET {target.format(port=port)} HTTP/1.1"))
                self.assertEqual((response.status, response.body), (200, b"ready\n"))

    def test_options_asterisk_is_answered(self):
        for name, port, version in self.each({"1.1": "1.1", "1.0": "1.0"}):
            with self.subTest(**name):
                response = fetch(port, head("Host: x", first=f"OPTIONS * HTTP/{version}"))
                self.assertEqual((response.status, response.body), (204, b""))
                self.assertIn("GET", response.headers["allow"])
                self.assertNotIn("content-length", response.headers)

    def test_unusual_but_valid_heads_are_accepted(self):
        for name, port, data in self.each(RIGHT):
            with self.subTest(**name):
                self.assertEqual(fetch(port, data).status, 200)


class Operators(unittest.TestCase):
    """Cases that need a kept connection or a body."""

    TOKEN = "0123456789abcdef"

    @classmethod
    def setUpClass(cls):
        cls.weir = cls.enterClassContext(
            WithAdmin(SERVER + ADMIN + f"token = {cls.TOKEN}\n[channel a]\nhistory = 10\n" + ROUTES)
        )

    def call(self, client, *lines, first, body=b""):
        client.send(head("Host: h", f"Authorization: Bearer {self.TOKEN}", *lines, first=first) + body)
        return client.response()

    def history(self):
        with RawClient(self.weir.admin_port) as client:
            return self.call(client, first="GET /api/channels/a/messages HTTP/1.1").body

    def test_folded_line_smuggles_no_second_request(self):
        smuggled = head("Host: h", f"Authorization: Bearer {self.TOKEN}", "Content-Length: 8", first=PUBLISH) + b"smuggled"
        folded = head("Host: h", "X-A: b", f" Content-Length: {len(smuggled)}", first="GET /healthz HTTP/1.1")
        with RawClient(self.weir.admin_port) as client:
            client.send(folded + smuggled)
            self.assertEqual(client.response().status, 400)
            try:
                self.assertTrue(client.at_end())
            except ConnectionResetError:
                pass
        self.assertNotIn(b"smuggled", self.history())

    def test_blanks_after_token_and_key_are_ignored(self):
        with RawClient(self.weir.admin_port) as client:
            for blank in ("", "  "):
                client.send(
                    head("Host: h", f"Authorization: Bearer {self.TOKEN}{blank}", f"Idempotency-Key: k{blank}",
                         "Content-Length: 4", first=PUBLISH) + b"once"
                )  # fmt: skip
                response = client.response()
                self.assertIn(response.status, (201, 202))
                self.assertEqual("idempotency-replayed" in response.headers, blank != "")
        self.assertEqual(self.history().count(b'"once"'), 1)

    def test_large_head_after_others_on_a_connection_is_refused(self):
        """The limit counts one head, not all bytes of the connection."""
        for last, status in ((f"Cookie: {'c' * 17000}", 431), ("A: \x01", 400)):
            with self.subTest(status=status), RawClient(self.weir.admin_port) as client:
                for _ in range(3):
                    client.send(head("Host: h", "Cookie: " + "c" * 8000))
                    self.assertEqual(client.response().status, 200)
                client.send_all_it_takes(head("Host: h", last))
                self.assertEqual(client.response().status, status)

    def test_body_for_an_absolute_uri_is_read(self):
        with RawClient(self.weir.admin_port) as client:
            first = PUBLISH.replace(" /", " http://example.com/", 1)
            response = self.call(client, "Content-Length: 5", first=first, body=b"whole")
            self.assertIn(response.status, (201, 202))
        self.assertIn(b'"whole"', self.history())

    def test_compressed_bodies_are_refused(self):
        for coding, status in (("gzip", 415), ("br", 415), ("gzip, identity", 415), ("identity", None)):
            with self.subTest(coding=coding), RawClient(self.weir.admin_port) as client:
                response = self.call(
                    client, f"Content-Encoding: {coding}", "Content-Length: 7", first=PUBLISH, body=b"encoded"
                )
                self.assertEqual(response.status, status or response.status)
                self.assertEqual(response.status < 300, status is None)
                if status:
                    self.assertEqual(response.headers["accept-encoding"], "identity")
        self.assertEqual(self.history().count(b"encoded"), 1)


class Early(WeirTestCase):
    """Bytes that a client sends before it has read the 101 (RFC 6455, 4.1)."""

    configuration = SERVER + ROUTES
    TIMES = 300

    def test_bytes_directly_after_the_head_get_400(self):
        for name, early in (("a frame", frame(TEXT, b"hi")), ("half a frame", frame(TEXT, b"hello")[:7]),
                            ("a byte", b"\x81"), ("a request", request("/echo"))):  # fmt: skip
            with self.subTest(early=name):
                times = scaled(self.TIMES)
                statuses = [fetch(self.weir.port, request("/echo") + early).status for _ in range(times)]
                self.assertEqual(Counter(statuses), {400: times})

    def test_early_frame_in_its_own_segment_is_refused_or_kept(self):
        """A frame that arrives after the server's check breaks the rule too, but must not get lost."""
        for _ in range(scaled(self.TIMES)):
            with RawClient(self.weir.port) as client:
                client.send(request("/echo"))
                client.send_all_it_takes(frame(TEXT, b"hi"))
                response = client.response()
                self.assertIn(response.status, (101, 400))
                if response.status == 101:
                    self.assertEqual(client.frame(), (TEXT, b"hi"))

    def test_end_of_stream_after_the_head_gets_101(self):
        for _ in range(scaled(self.TIMES)):
            with RawClient(self.weir.port) as client:
                client.send(request("/echo"))
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.response().status, 101)

    def test_empty_line_before_the_head_is_skipped(self):
        for _ in range(scaled(self.TIMES)):
            with RawClient(self.weir.port) as client:
                client.send(b"\r\n" + request("/echo"))
                self.assertEqual(client.response().status, 101)
                client.send(frame(TEXT, b"hi"))
                self.assertEqual(client.frame(), (TEXT, b"hi"))


class Origins(WeirTestCase):
    configuration = SERVER + (
        ROUTES
        + '[route /exact]\nhandler = echo\norigins = null, file://, app://x, "my device"\n'
    )

    def ask(self, path, origin):
        return fetch(self.weir.port, request(path, upgrade_headers(Origin=origin)))

    def test_origins_are_compared_exactly(self):
        for origin in ("null", "file://", "app://x", "my device"):
            with self.subTest(origin=origin):
                self.assertEqual(self.ask("/exact", origin).status, 101)
                self.assertEqual(self.ask("/echo", origin).status, 403)
        for origin in ("http://127.0.0.1", "app://xy", "my devic", "my device2", '"my device"', "nul"):
            with self.subTest(origin=origin):
                self.assertEqual(self.ask("/exact", origin).status, 403)

    def test_refusal_names_the_origin(self):
        response = self.ask("/echo", "https://there.example")
        self.assertIn(b'"https://there.example"', response.body)
        self.assertIn(b"origins", response.body)

        def logged():
            self.ask("/echo", "https://there.example")  # one line a second
            return "origin=https://there.example" in self.weir.log()

        until(logged, "a line of the log")

    def test_origin_of_any_bytes_is_shown_escaped_and_cut(self):
        response = self.ask("/echo", "\xff\x80" + "x" * 8000)
        self.assertEqual(response.status, 403)
        self.assertLess(len(response.body), 400)
        self.assertIn("\\xff\\x80xxx", response.body.decode())

    def test_bare_word_as_origin_is_refused(self):
        for value in ("example.com", "same-hots", "https://", '"'):
            with self.subTest(value=value):
                done = run_weir("check", "-c", "/dev/null", "--set", f"websocket.origins={value}")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("goes in quotes", done.stderr)


class Proxies(WeirTestCase):
    """A proxy that does not pass on the headers of a handshake."""

    configuration = SERVER + ROUTES + "[route /]\nhandler = echo\n"

    def test_lost_upgrade_gets_advice_about_proxies(self):
        for path in ("/echo", "/"):
            for version in ("1.0", "1.1"):
                with self.subTest(path=path, version=version):
                    headers = upgrade_headers(Upgrade=None, Connection="close")
                    response = fetch(self.weir.port, request(path, headers, version=version))
                    self.assertEqual(response.status, 426)
                    self.assertIn(b"proxy_http_version 1.1", response.body)
                    self.assertIn(b"proxy_set_header Upgrade", response.body)
        until(lambda: "event=upgrade_lost" in self.weir.log(), "a line of the log")
        self.assertEqual(fetch(self.weir.port, request("/", [("Host", "h")])).status, 200)

    def test_lost_connection_header_gets_advice_about_proxies(self):
        for changes in ({"Connection": "close"}, {"Connection": None}):
            response = fetch(self.weir.port, request("/echo", upgrade_headers(**changes)))
            self.assertEqual(response.status, 400)
            self.assertIn(b"proxy", response.body)
        until(lambda: re.search("event=refuse .*reason=.*proxy", self.weir.log()), "a line of the log")

    def test_http_1_0_gets_advice_about_proxies(self):
        response = fetch(self.weir.port, request("/echo", version="1.0"))
        self.assertEqual(response.status, 400)
        self.assertIn(b"proxy_http_version 1.1", response.body)


class Reasons(WeirTestCase):
    configuration = SERVER + ROUTES

    def test_refused_handshake_names_the_reason(self):
        for changes, reason in (
            ({"Sec-WebSocket-Key": None}, "the Sec-WebSocket-Key header is missing"),
            ({"Sec-WebSocket-Key": "AAAA"}, "Sec-WebSocket-Key is not 16 bytes in base64"),
            ({"Sec-WebSocket-Version": None}, "the Sec-WebSocket-Version header is missing"),
            ({"Sec-WebSocket-Version": "8"}, "Sec-WebSocket-Version must be 13"),
            ({"Host": None}, "the Host header is missing"),
        ):
            with self.subTest(reason=reason):
                self.assertIn(reason, fetch(self.weir.port, request("/echo", upgrade_headers(**changes))).body.decode())
        twice = [*upgrade_headers(), ("Sec-WebSocket-Key", "AAAA")]
        self.assertIn(b"more than once", fetch(self.weir.port, request("/echo", twice)).body)


class ManyFields(unittest.TestCase):
    def test_forwarded_line_may_be_the_last_of_64(self):
        """Each client of a proxy has its own limit."""
        limits = "max_connections_per_ip = 1\ntrusted_proxies = 127.0.0.1/32\n"
        with Weir(SERVER + limits + ROUTES) as weir:
            clients = []
            for number in range(3):
                headers = [*upgrade_headers(), *[("A", "b")] * 58, ("X-Forwarded-For", f"192.0.2.{number}")]
                clients.append(RawClient(weir.port))
                clients[-1].send(request("/echo", headers))
                self.assertEqual(clients[-1].response().status, 101)
            for client in clients:
                client.socket.close()


if __name__ == "__main__":
    unittest.main()
