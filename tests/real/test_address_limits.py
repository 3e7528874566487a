"""test_address_limits - the limits per address: connections, handshakes per second; whose address counts when a proxy connects.

All of 127.0.0.0/8 is this machine, so that clients can come from several addresses.

SPDX-License-Identifier: MIT
"""

import re
import socket
import time
import unittest

import websockets

from python_websockets import InvalidStatus, refusal
from raw_client import BINARY, CLOSE, TEXT, RawClient, close_frame, frame, request, upgrade_headers
from weir_process import PATIENCE, AsyncWeirTestCase, Weir, WeirTestCase, until

ROUTES = """
[route /echo]
handler = echo
[route /hello/{name}]
handler = plugin:EXAMPLES/hello.so
[route /strict]
handler = echo
subprotocols = chat
require_subprotocol = yes
"""


class Visitor(RawClient):
    """A raw client from a given address that has sent its handshake; each of `forwarded` becomes a line
    X-Forwarded-For."""

    def __init__(self, port, address, path="/echo", forwarded=(), extra=(), early=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(address, 0))
        self.buffer = b""
        lines = [("X-Forwarded-For", value) for value in forwarded]
        self.send_all_it_takes(request(path, [*upgrade_headers(), *extra, *lines]) + early)


def fetch_from(port, *arguments, **options):
    """The answer to one handshake whose connection ends at once."""
    with Visitor(port, *arguments, **options) as visitor:
        return visitor.response()


class VisitorsTestCase(WeirTestCase):
    def visitor(self, *arguments, **options):
        visitor = Visitor(self.weir.port, *arguments, **options)
        self.addCleanup(visitor.socket.close)
        return visitor

    def stay(self, *arguments, **options):
        """A visitor that was admitted."""
        visitor = self.visitor(*arguments, **options)
        self.assertEqual(visitor.response().status, 101)
        return visitor

    def assertRefused(self, response, limit):
        self.assertEqual((response.status, response.body.decode()), (429, f"One address may have {limit}.\n"))
        self.assertGreaterEqual(int(response.headers["retry-after"]), 1)

    def assertFull(self, *arguments, **options):
        self.assertRefused(self.visitor(*arguments, **options).response(), "2 connections at once")

    def assertRefusalIsLogged(self, *arguments, parts, **options):
        """Repeats the refusal: not each of many is logged."""

        def attempt():
            self.assertFull(*arguments, **options)
            lines = (line for line in self.weir.log().splitlines() if "event=refuse " in line)
            return any(all(part in line for part in (*parts, "status=429")) for line in lines)

        until(attempt, f"a refusal with {parts} in the log")

    def stay_when_there_is_room(self, *arguments, **options):
        """Retries until it is admitted: the server may still be ending another connection."""

        def attempt():
            visitor = self.visitor(*arguments, **options)
            return visitor if visitor.response().status == 101 else None

        return until(attempt, "a place")


class Places(AsyncWeirTestCase, VisitorsTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\nmax_connections_per_ip = 2\n" + ROUTES

    def test_each_address_has_its_own_connection_limit(self):
        for address in ("127.1.0.2", "127.1.0.3"):
            first, second = self.stay(address), self.stay(address)
            self.assertFull(address)
            for visitor in (first, second):
                visitor.send(frame(TEXT, b"still here"))
                self.assertEqual(visitor.frame(), (TEXT, b"still here"))
        self.assertRefusalIsLogged("127.1.0.2", parts=["peer=127.1.0.2:", "path=/echo"])

    def test_connections_without_a_route_count_for_the_address(self):
        self.stay("127.1.1.2"), self.stay("127.1.1.2", "/nowhere")
        self.assertFull("127.1.1.2")
        self.assertFull("127.1.1.2", "/nowhere")

    def test_plain_requests_do_not_count_for_the_address(self):
        self.stay("127.1.2.2"), self.stay("127.1.2.2")
        client = socket.create_connection(("127.0.0.1", self.weir.port), PATIENCE, source_address=("127.1.2.2", 0))
        with client:
            client.sendall(request("/echo", [("Host", "127.0.0.1")]))
            self.assertIn(b" 426 ", client.recv(4096))

    def test_ended_connection_frees_its_place(self):
        def close_by_client(visitor):
            visitor.send(close_frame(1000))
            self.assertEqual(visitor.frame().opcode, CLOSE)
            visitor.socket.close()

        def close_by_server(visitor):
            visitor.send(frame(TEXT, b"unmasked", masked=False))
            self.assertEqual(visitor.frame().close_code, 1002)
            visitor.send(close_frame(1002))
            visitor.socket.close()

        ends = [close_by_client, close_by_server, RawClient.vanish, lambda visitor: visitor.socket.close()]
        for path in ("/echo", "/hello/you"):  # one handler runs where input is read, the other needs a permit
            for number, end in enumerate(ends):
                with self.subTest(path=path, number=number):
                    address = f"127.1.3.{2 + number}" if path == "/echo" else f"127.1.4.{2 + number}"
                    stays, leaves = self.stay(address), self.stay(address, path)
                    self.assertFull(address)
                    if path != "/echo":
                        self.assertEqual(leaves.frame(), (TEXT, b"hello, you"))
                    end(leaves)
                    self.stay_when_there_is_room(address)
                    self.assertFull(address)
                    stays.send(frame(TEXT, b"x"))
                    self.assertEqual(stays.frame(), (TEXT, b"x"))

    def test_failed_handshakes_hold_no_place(self):
        early = (("Content-Length", "5"),)
        evil = (("Origin", "http://evil"),)
        for _ in range(4):
            self.assertEqual(fetch_from(self.weir.port, "127.1.5.2", "/strict").status, 400)
            self.assertEqual(fetch_from(self.weir.port, "127.1.5.2", extra=early).status, 400)
            self.assertEqual(fetch_from(self.weir.port, "127.1.5.2", extra=evil).status, 403)
        self.stay("127.1.5.2"), self.stay("127.1.5.2")
        self.assertFull("127.1.5.2")

    def test_early_frames_hold_no_place(self):
        """Bytes still in the socket at its adoption are found only then, after the place was taken."""
        early = frame(BINARY, bytes(60000))  # more than the HTTP library reads at once
        attempts = 0

        def attempt():
            nonlocal attempts
            attempts += 1
            visitor = self.visitor("127.1.6.2", early=early)
            try:
                visitor.response()
            except ConnectionResetError:  # by a server that has not read everything: the refusal may be lost
                pass
            visitor.vanish()
            refused = re.search(r"event=refuse .*peer=127\.1\.6\.2:.* status=400", self.weir.log())
            return refused and attempts >= 10

        until(attempt, "a refusal")
        self.stay_when_there_is_room("127.1.6.2"), self.stay_when_there_is_room("127.1.6.2")
        self.assertFull("127.1.6.2")

    def test_forwarded_headers_of_untrusted_peers_are_ignored(self):
        self.stay("127.1.7.2", forwarded=["203.0.113.1"]), self.stay("127.1.7.2", forwarded=["203.0.113.2"])
        self.assertFull("127.1.7.2", forwarded=["203.0.113.3"])
        self.stay("127.1.7.3", forwarded=["127.1.7.2"])
        self.assertNotIn("client=", self.weir.log())

    async def test_python_client_over_the_limit_gets_429(self):
        url, source = self.weir.url("/echo"), ("127.1.8.2", 0)
        async with websockets.connect(url, local_addr=source):
            async with websockets.connect(url, local_addr=source):
                with self.assertRaises(InvalidStatus) as refused:
                    await websockets.connect(url, local_addr=source)
                status, headers = refusal(refused.exception)
                self.assertEqual(status, 429)
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.stay_when_there_is_room("127.1.8.2")


class Rate(VisitorsTestCase):
    RATE = 3
    configuration = f"[server]\nlisten = 127.0.0.1:PORT\nhandshake_rate_per_ip = {RATE}\n" + ROUTES

    def shake_hands(self, address, *, path="/echo", most=1000, **options):
        """Handshakes in sequence until one is too fast. Returns the statuses of those before."""
        statuses = []
        while len(statuses) < most:
            response = fetch_from(self.weir.port, address, path, **options)
            if response.status == 429:
                self.assertRefused(response, f"{self.RATE} handshakes a second")
                self.retry_after = int(response.headers["retry-after"])
                return statuses
            statuses.append(response.status)
        self.fail(f"{most} handshakes from {address}, and none was too fast")

    def test_handshake_rate_allows_one_second_at_once(self):
        start = time.monotonic()
        statuses = self.shake_hands("127.2.0.2")
        lasted = time.monotonic() - start
        self.assertEqual(set(statuses), {101})
        self.assertGreaterEqual(len(statuses), self.RATE)
        self.assertLessEqual(len(statuses), self.RATE * (1 + lasted) + 1)

    def test_address_is_admitted_after_retry_after(self):
        self.shake_hands("127.2.1.2")
        time.sleep(self.retry_after)
        self.assertEqual(fetch_from(self.weir.port, "127.2.1.2").status, 101)

    def test_each_address_has_its_own_handshake_rate(self):
        self.shake_hands("127.2.2.2")
        self.assertEqual(fetch_from(self.weir.port, "127.2.2.3").status, 101)

    def test_refused_handshakes_count_for_the_rate(self):
        """Well-formed handshakes count, whatever becomes of them before the handler is asked."""
        self.assertEqual(set(self.shake_hands("127.2.3.2", path="/strict")), {400})
        self.assertEqual(set(self.shake_hands("127.2.3.3", extra=[("Origin", "http://evil")])), {403})
        self.assertEqual(set(self.shake_hands("127.2.3.4", path="/nowhere")), {101})

    def test_malformed_requests_do_not_count_for_the_rate(self):
        for _ in range(10 * self.RATE):
            self.assertEqual(fetch_from(self.weir.port, "127.2.4.2", "/%zz").status, 400)
        self.assertEqual(fetch_from(self.weir.port, "127.2.4.2").status, 101)


class Proxies(VisitorsTestCase):
    configuration = """[server]
listen = 127.0.0.1:PORT
max_connections_per_ip = 2
trusted_proxies = 127.3.0.0/16, 2001:db8:f::/48
[log]
level_conn = debug
""" + ROUTES
    PROXY = "127.3.0.1"

    def fill(self, address, *forwarded):
        self.stay(address, forwarded=forwarded), self.stay(address, forwarded=forwarded)
        self.assertFull(address, forwarded=forwarded)

    def test_clients_of_a_proxy_have_their_own_limits(self):
        for client in ("203.0.113.1", "203.0.113.2", "2001:db8:1::1"):
            self.fill(self.PROXY, client)
            self.weir.log_line("event=open ", f"peer={self.PROXY}:", f" client={client} ", "path=/echo")
            parts = [f"peer={self.PROXY}:", f" client={client} ", "path=/echo"]
            self.assertRefusalIsLogged(self.PROXY, forwarded=[client], parts=parts)
        self.assertFull("127.3.0.2", forwarded=["203.0.113.1"])  # whichever proxy it comes through
        self.assertFull(self.PROXY, forwarded=["2001:db8:1::2"])  # of the same network

    def test_forged_forwarded_entries_are_ignored(self):
        self.fill(self.PROXY, "203.0.113.11")
        for forged in ("198.51.100.1", "127.3.0.9", "nonsense", "198.51.100.1, 198.51.100.2", ", ,"):
            self.assertFull(self.PROXY, forwarded=[f"{forged}, 203.0.113.11"])
            self.assertFull(self.PROXY, forwarded=[forged, "203.0.113.11"])
        self.stay(self.PROXY, forwarded=["203.0.113.11, 203.0.113.12"])

    def test_client_of_chained_trusted_proxies_is_counted(self):
        self.fill(self.PROXY, "203.0.113.21, 127.3.0.2", "2001:db8:f::1")
        self.assertFull("127.3.0.2", forwarded=["198.51.100.7, 203.0.113.21"])

    def test_direct_and_proxied_connections_count_together(self):
        """A direct client and the same client through a proxy are one."""
        self.fill("127.0.0.31")
        self.assertFull(self.PROXY, forwarded=["127.0.0.31"])
        self.assertFull("127.0.0.31", forwarded=["203.0.113.31"])
        self.assertNotRegex(self.weir.log(), re.compile(r"peer=127\.0\.0\.31:\S* client="))

    def test_unusable_forwarded_header_counts_for_the_proxy(self):
        proxy = "127.3.4.1"
        self.stay(proxy)
        self.stay(proxy, forwarded=["nonsense"])
        for forwarded in ([], [""], ["unknown"], ["203.0.113.41, nonsense"], ["203.0.113.41:x"]):
            self.assertFull(proxy, forwarded=forwarded)
        # With more headers than these, only the first are read: the line of the proxy itself may come after them.
        many = [(f"X-{number}", "x") for number in range(70)]
        response = self.visitor(proxy, extra=[("X-Forwarded-For", "203.0.113.42"), *many]).response()
        self.assertNotEqual(response.status, 101)

    def test_ports_in_forwarded_entries_are_ignored(self):
        for written, client in (("203.0.113.61:80", "203.0.113.61"), ("[2001:db8:61::1]:443", "2001:db8:61::1")):
            self.fill(self.PROXY, written)
            self.assertFull(self.PROXY, forwarded=[client])

    def test_long_forwarded_list_is_read_to_its_end(self):
        self.fill(self.PROXY, ", ".join(["198.51.100.1"] * 900), "203.0.113.51")

    def test_places_of_clients_are_given_back(self):
        self.stay(self.PROXY, forwarded=["203.0.113.71"])
        self.stay(self.PROXY, forwarded=["203.0.113.71"]).vanish()
        self.stay_when_there_is_room(self.PROXY, forwarded=["203.0.113.71"])
        self.assertFull(self.PROXY, forwarded=["203.0.113.71"])


class NoLimits(unittest.TestCase):
    def test_addresses_are_not_limited_by_default(self):
        with Weir("[server]\nlisten = 127.0.0.1:PORT\n" + ROUTES) as weir:
            visitors = [Visitor(weir.port, "127.0.0.2") for _ in range(5)]
            for visitor in visitors:
                self.assertEqual(visitor.response().status, 101)
                visitor.socket.close()


if __name__ == "__main__":
    unittest.main()
