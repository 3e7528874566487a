"""test_handshake - the opening handshake (RFC 6455, 4.2) and plain HTTP, over raw sockets.

SPDX-License-Identifier: MIT
"""

import base64
import socket
import unittest

from raw_client import BINARY, CLOSE, KEY, TEXT, RawClient, accept_value, fetch, frame, request, upgrade_headers
from weir_process import Weir, WeirTestCase, until

SERVER = "[server]\nlisten = 127.0.0.1:PORT\n"
ROUTES = """
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
[route /hello/{name}]
handler = plugin:EXAMPLES/hello.so
"""


class Upgrade(WeirTestCase):
    configuration = SERVER + ROUTES

    def status(self, path="/echo", **changes):
        return fetch(self.weir.port, request(path, upgrade_headers(**changes))).status

    def assertStatus(self, expected, **changes):
        with self.subTest(**changes):
            self.assertEqual(self.status(**changes), expected)

    def test_handshake_agrees_with_the_rfc_sample(self):
        response = fetch(self.weir.port, request("/echo"))
        self.assertEqual(response.status, 101)
        self.assertEqual(response.headers["upgrade"].lower(), "websocket")
        self.assertEqual(response.headers["connection"].lower(), "upgrade")
        self.assertEqual(response.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertNotIn("sec-websocket-extensions", response.headers)
        self.assertNotIn("sec-websocket-protocol", response.headers)

    def test_accept_belongs_to_the_key(self):
        key = base64.b64encode(bytes(range(16))).decode()
        response = fetch(self.weir.port, request("/echo", upgrade_headers(Sec_WebSocket_Key=key)))
        self.assertEqual(response.headers["sec-websocket-accept"], accept_value(key))

    def test_version_other_than_13_gets_426(self):
        for version in (None, "12", "8", "0", "", "14", "x", "013", "13.0"):
            with self.subTest(version=version):
                response = fetch(self.weir.port, request("/echo", upgrade_headers(Sec_WebSocket_Version=version)))
                self.assertEqual(response.status, 426)
                self.assertEqual(response.headers["sec-websocket-version"], "13")

    def test_malformed_keys_get_400(self):
        keys = [base64.b64encode(bytes(size)).decode() for size in (0, 1, 15, 17, 64)]
        keys += [None, KEY[:-1], KEY[:-2], KEY + "=", "*" * 22 + "==", "x" * 3000, KEY[:4] + " " + KEY[4:]]
        for key in keys:
            self.assertStatus(400, Sec_WebSocket_Key=key)

    def test_upgrade_and_connection_are_token_lists(self):
        self.assertStatus(101, Upgrade="WebSocket")
        self.assertStatus(101, Upgrade="WEBSOCKET")
        self.assertStatus(101, Upgrade="h2c, websocket")
        self.assertStatus(101, Upgrade="websocket ,  IRC/6.9")
        self.assertStatus(101, Connection="upgrade")
        self.assertStatus(101, Connection="UPGRADE")
        self.assertStatus(101, Connection="keep-alive, Upgrade")
        self.assertStatus(101, Connection="keep-alive,upgrade,x")
        self.assertStatus(400, Connection="keep-alive")
        self.assertStatus(400, Connection="upgraded")
        self.assertStatus(400, Connection=None)
        self.assertStatus(426, Upgrade="websockets")  # no upgrade to a WebSocket: a plain request

    def test_header_names_may_be_in_any_case(self):
        for change in (str.lower, str.upper):
            headers = [(change(name), value) for name, value in upgrade_headers()]
            self.assertEqual(fetch(self.weir.port, request("/echo", headers)).status, 101)

    def test_header_sent_twice_is_a_list(self):
        headers = [*upgrade_headers(Connection="keep-alive"), ("Connection", "Upgrade")]
        self.assertEqual(fetch(self.weir.port, request("/echo", headers)).status, 101)

    def test_repeated_host_or_key_gets_400(self):
        for extra in (("Host", "127.0.0.1"), ("Host", "example.com"), ("Sec-WebSocket-Key", KEY)):
            with self.subTest(extra=extra):
                response = fetch(self.weir.port, request("/echo", [*upgrade_headers(), extra]))
                self.assertEqual(response.status, 400)

    def test_host_is_needed(self):
        self.assertStatus(400, Host=None)

    def test_handshake_with_another_method_gets_405(self):
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method=method):
                self.assertEqual(fetch(self.weir.port, request("/echo", method=method)).status, 405)

    def test_handshake_in_http_1_0_gets_400(self):
        self.assertEqual(fetch(self.weir.port, request("/echo", version="1.0")).status, 400)

    def test_handshake_with_a_body_gets_400(self):
        with_length = request("/echo", [*upgrade_headers(), ("Content-Length", "5")]) + b"hello"
        chunked = request("/echo", [*upgrade_headers(), ("Transfer-Encoding", "chunked")]) + b"1\r\nx\r\n0\r\n\r\n"
        for data in (with_length, chunked):
            self.assertEqual(fetch(self.weir.port, data).status, 400)

    def test_unknown_offers_are_ignored(self):
        headers = [
            *upgrade_headers(),
            ("Sec-WebSocket-Protocol", "chat.v2, chat.v1"),
            ("Sec-WebSocket-Extensions", "x-unknown; a=1"),
        ]
        response = fetch(self.weir.port, request("/echo", headers))
        self.assertEqual(response.status, 101)
        self.assertNotIn("sec-websocket-protocol", response.headers)
        self.assertNotIn("sec-websocket-extensions", response.headers)

    def test_request_sent_byte_by_byte_is_accepted(self):
        with RawClient(self.weir.port) as client:
            for byte in request("/echo"):
                client.send(bytes([byte]))
            self.assertEqual(client.response().status, 101)
            client.send(frame(TEXT, b"slow and steady"))
            self.assertEqual(client.frame(), (TEXT, b"slow and steady"))

    def test_query_is_neither_routed_nor_logged(self):
        with RawClient(self.weir.port, upgrade="/echo?token=do-not-log-me") as client:
            client.send(frame(BINARY, b"x"))
            self.assertEqual(client.frame(), (BINARY, b"x"))
        self.assertNotIn("do-not-log-me", self.weir.log())


class Parameters(WeirTestCase):
    configuration = SERVER + ROUTES

    def hello(self, name):
        with RawClient(self.weir.port, upgrade=f"/hello/{name}") as client:
            opcode, payload = client.frame()
            self.assertEqual(opcode, TEXT)
            return payload.decode()

    def test_parameters_are_decoded(self):
        self.assertEqual(self.hello("world"), "hello, world")
        self.assertEqual(self.hello("J%C3%BCrgen%20M"), "hello, Jürgen M")
        self.assertEqual(self.hello("100%25"), "hello, 100%")
        self.assertEqual(self.hello("%2525"), "hello, %25")
        self.assertEqual(self.hello("a+b"), "hello, a+b")

    def test_encoded_slash_stays_in_the_parameter(self):
        self.assertEqual(self.hello("a%2Fb"), "hello, a/b")
        self.assertEqual(self.hello("..%2F..%2Fetc%2Fpasswd"), "hello, ../../etc/passwd")

    def test_malformed_paths_get_400(self):
        for name in ("%00", "a%00b", "%zz", "%4", "%", "%ff", "%C3"):
            with self.subTest(name=name):
                self.assertEqual(fetch(self.weir.port, request(f"/hello/{name}")).status, 400)

    def test_long_parameter_is_passed_to_the_handler(self):
        with RawClient(self.weir.port, upgrade="/hello/" + "x" * 2000) as client:
            answer = client.frame()
            self.assertEqual((answer.opcode, answer.close_code), (CLOSE, 1008))


class PlainHttp(WeirTestCase):
    configuration = SERVER + ROUTES
    PLAIN = [("Host", "127.0.0.1")]

    def get(self, path, method="GET"):
        return fetch(self.weir.port, request(path, self.PLAIN, method))

    def test_root_page_names_the_routes(self):
        response = self.get("/")
        self.assertEqual(response.status, 200)
        for route in ("/echo", "/broadcast", "/hello/{name}"):
            self.assertIn(route, response.body.decode())

    def test_websocket_routes_ask_for_an_upgrade(self):
        for path in ("/echo", "/broadcast", "/hello/world", "/echo?x=1"):
            with self.subTest(path=path):
                response = self.get(path)
                self.assertEqual(response.status, 426)
                self.assertEqual(response.headers["upgrade"].lower(), "websocket")

    def test_other_paths_get_404(self):
        for path in ("/favicon.ico", "/echo/", "/echo/x", "/hello", "/conf/weir.ini", "/../../etc/passwd", "//"):
            with self.subTest(path=path):
                self.assertEqual(self.get(path).status, 404)

    def test_connection_ends_with_the_answer(self):
        with RawClient(self.weir.port) as client:
            client.send(request("/nowhere", self.PLAIN))
            client.response()
            self.assertTrue(client.at_end())

    def test_large_heads_get_4xx_and_harm_nothing(self):
        one_long = [*self.PLAIN, ("X-Soup", "x" * 20000)]
        many = [*self.PLAIN, *((f"X-Soup-{number}", "noodles " * 4) for number in range(500))]
        for headers in (one_long, many, upgrade_headers() + one_long[1:], upgrade_headers() + many[1:]):
            self.assertIn(fetch(self.weir.port, request("/echo", headers)).status, range(400, 500))
        self.assertEqual(self.get("/").status, 200)

    def test_garbage_is_refused_and_harms_nothing(self):
        tls = b"\x16\x03\x01\x02\x00\x01"
        lines = (b"", b"GET", b"GET /", tls, b"\x00" * 100, b"GET / HTTP/9.9", b"GET / HTTP/1.1\r\nno colon")
        for garbage in lines:
            with self.subTest(garbage=garbage[:30]), RawClient(self.weir.port) as client:
                client.send_all_it_takes(garbage + b"\r\n\r\n")
                client.socket.shutdown(socket.SHUT_WR)
                try:
                    self.assertGreaterEqual(client.response().status, 400)
                except (EOFError, ConnectionResetError):
                    pass  # a closed connection is allowed too; a crash is not
        self.assertEqual(self.get("/").status, 200)


class UnknownRoute(WeirTestCase):
    configuration = SERVER + "unknown_route = 404\n" + ROUTES

    def test_unknown_route_can_get_404(self):
        self.assertEqual(fetch(self.weir.port, request("/switch/on")).status, 404)
        self.assertEqual(fetch(self.weir.port, request("/echo")).status, 101)


class MaxConnections(unittest.TestCase):
    def test_client_over_max_connections_gets_503(self):
        with Weir(SERVER + "max_connections = 2\n" + ROUTES) as weir:
            with RawClient(weir.port, upgrade="/echo") as first, RawClient(weir.port, upgrade="/echo") as second:
                response = fetch(weir.port, request("/echo"))
                self.assertEqual(response.status, 503)
                self.assertGreater(int(response.headers["retry-after"]), 0)
                for client in (first, second):
                    client.send(frame(TEXT, b"still here"))
                    self.assertEqual(client.frame(), (TEXT, b"still here"))
            until(lambda: fetch(weir.port, request("/echo")).status == 101, "a free place")


class BehindAProxy(WeirTestCase):
    """X-Forwarded-Proto counts if the proxy is trusted."""

    configuration = ("[server]\nlisten = 127.0.0.1:PORT\ntrusted_proxies = 127.0.0.2\n"
                     "[route /echo]\nhandler = echo\n")

    def page(self, source, path="/"):
        with socket.create_connection(("127.0.0.1", self.weir.port), source_address=(source, 0)) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: inner:9000\r\nX-Forwarded-Proto: https\r\n"
                           "X-Forwarded-Host: example.com\r\n\r\n".encode())
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def test_links_use_wss_after_a_trusted_tls_proxy(self):
        self.assertIn("    wss://example.com/echo\n", self.page("127.0.0.2"))
        self.assertIn("connect with wss://, not https://", self.page("127.0.0.2", "/echo"))
        self.assertIn("    ws://inner:9000/echo\n", self.page("127.0.0.1"))
        self.assertIn("connect with ws://, not http://", self.page("127.0.0.1", "/echo"))


if __name__ == "__main__":
    unittest.main()
