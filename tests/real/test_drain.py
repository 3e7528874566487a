"""test_drain - the promises of a stop: every handled message is answered, closes are spread over time, new clients are
refused, and load balancers can see it.

WEIR_DRAIN_ROUNDS is how often the server is stopped under full load (2).

SPDX-License-Identifier: MIT
"""

import os
import random
import re
import resource
import signal
import tempfile
import time
import unittest

from drain_client import Crowd, Messages
from plugin_build import compile_plugin
from raw_client import CLOSE, TEXT, RawClient, close_frame, fetch, frame, request
from weir_process import PATIENCE, Weir, scaled

ROUNDS = int(os.environ.get("WEIR_DRAIN_ROUNDS", "2"))
DRAIN_TIMEOUT = 20
LISTEN = "[server]\nlisten = 127.0.0.1:PORT\n"
SERVER = LISTEN + f"drain_timeout = {DRAIN_TIMEOUT}s\n"
WEBSOCKET = "[websocket]\nping_interval = 0\n"
ECHO = "[route /echo]\nhandler = echo\n"


def setUpModule():
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def stopped(weir):
    """Waits for the end of a stop that has been asked for; the status must be 0."""
    weir.process.wait(DRAIN_TIMEOUT + PATIENCE)
    weir.stop()


def get(path, method="GET"):
    return request(path, [("Host", "127.0.0.1")], method)


class UnderLoad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = Messages.numbered(200_000)

    def stop_under_load(self, weir, crowd):
        crowd.run(random.uniform(0.2, 0.6))
        crowd.run_until(lambda: crowd.received() > len(crowd.clients) or crowd.errors(), "the first echoes")
        start = time.monotonic()
        weir.process.send_signal(signal.SIGTERM)
        crowd.run_to_the_end()
        weir.process.wait(DRAIN_TIMEOUT + PATIENCE)
        seconds = time.monotonic() - start
        figures = f"{len(crowd.clients)} clients, {crowd.received()} messages, {seconds:.2f} s"
        print(f"\n    {figures}", end=" ", flush=True)
        self.assertEqual(crowd.errors(), [])
        self.assertEqual(crowd.codes(), {1001})
        self.assertEqual(weir.process.returncode, 0)
        handled = re.search(r"clean=yes handled=(\d+)$", weir.log_line("event=stopped"))
        self.assertEqual(crowd.received(), int(handled.group(1)))
        self.assertLess(seconds, DRAIN_TIMEOUT)

    def test_drain_under_load_answers_every_echo(self):
        for _ in range(ROUNDS):
            with Weir(SERVER + WEBSOCKET + ECHO) as weir:
                with Crowd(weir.port, "/echo", scaled(1000, least=100), 16, self.messages) as crowd:
                    self.stop_under_load(weir, crowd)

    def test_drain_under_load_waits_for_blocking_handlers(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = compile_plugin("echo_slowly", directory)
            for _ in range(ROUNDS):
                with Weir(SERVER + WEBSOCKET + f"[route /slow]\nhandler = plugin:{plugin}\n") as weir:
                    with Crowd(weir.port, "/slow", scaled(300, least=50), 4, self.messages) as crowd:
                        self.stop_under_load(weir, crowd)


class Spread(unittest.TestCase):
    def stop_idle(self, configuration, count):
        """Returns how long the closes took. Clients without a Close so far must be served as before."""
        with Weir(SERVER + configuration + WEBSOCKET + ECHO) as weir:
            with Crowd(weir.port, "/echo", count, 0, Messages.numbered(1)) as crowd:
                weir.process.send_signal(signal.SIGTERM)
                crowd.run_until(crowd.closed, "the first Close")
                last = crowd.clients[-1]
                if last.close_code is None:
                    last.cut = 0
                    last.keep_under_way(1)
                crowd.run_to_the_end()
                stopped(weir)
                self.assertEqual(crowd.errors(), [])
                self.assertEqual(crowd.codes(), {1001})
                print(f"{crowd.spread():.2f} s, ", end="", flush=True)
                return crowd.spread(), last.received

    def test_closes_are_spread_over_drain_window(self):
        spread, received = self.stop_idle("drain_window = 2s\n", 2000)
        self.assertGreater(spread, 1)
        self.assertEqual(received, 1)

    def test_drain_window_0_closes_all_at_once(self):
        self.stop_idle("drain_window = 0\n", scaled(2000, least=200))

    def test_drain_ends_when_all_clients_vanish(self):
        with Weir(SERVER + WEBSOCKET + ECHO) as weir:
            clients = [RawClient(weir.port, upgrade="/echo") for _ in range(scaled(500, least=100))]
            weir.process.send_signal(signal.SIGTERM)
            weir.log_line("event=stopping")
            for client in clients:
                client.vanish()
            stopped(weir)


class Lingering(unittest.TestCase):
    """One client that does not answer its Close prolongs the stop for as long as a test needs."""

    def begin_stop(self, server=SERVER):
        weir = Weir(server + WEBSOCKET + "close_timeout = 5m\n" + ECHO)
        self.addCleanup(lambda: weir.stop(status=None))
        client = RawClient(weir.port, upgrade="/echo")
        self.addCleanup(client.socket.close)
        self.assertReady(weir)
        weir.process.send_signal(signal.SIGTERM)
        answer = client.frame()
        self.assertEqual((answer.opcode, answer.close_code), (CLOSE, 1001))
        return weir, client

    def assertReady(self, weir):
        for path, body in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
            response = fetch(weir.port, get(path))
            self.assertEqual((response.status, response.body), (200, body))
            with RawClient(weir.port) as head:
                head.send(get(path, "HEAD"))
                answer = head.socket.recv(65536)
                self.assertRegex(answer, rb"(?s)^HTTP/1.1 200 .*\r\nContent-Length: \d+\r\n.*\r\n\r\n$")

    def test_drain_refuses_new_clients(self):
        weir, client = self.begin_stop()
        self.assertEqual(fetch(weir.port, get("/healthz")).status, 200)
        response = fetch(weir.port, get("/readyz"))
        self.assertEqual((response.status, response.body), (503, b"stopping\n"))
        for path in ("/echo", "/none"):
            response = fetch(weir.port, request(path))
            self.assertEqual(response.status, 503)
            self.assertGreaterEqual(int(response.headers["retry-after"]), 1)
        client.send(close_frame(1001))
        self.assertTrue(client.at_end())
        client.socket.close()
        stopped(weir)

    def test_second_sigterm_ends_the_drain(self):
        weir, _ = self.begin_stop()
        weir.process.send_signal(signal.SIGTERM)
        weir.process.wait(PATIENCE)
        weir.stop(status=128 + signal.SIGTERM)

    def test_drain_timeout_ends_the_drain(self):
        weir, _ = self.begin_stop(LISTEN + "drain_timeout = 2s\n")
        stopped(weir)


class OwnRoutes(unittest.TestCase):
    def test_route_may_have_the_path_of_a_health_page(self):
        routes = "[route /readyz]\nhandler = echo\n[route /{room}]\nhandler = echo\n"
        with Weir(SERVER + routes) as weir:
            self.assertEqual(fetch(weir.port, get("/readyz")).status, 426)
            self.assertEqual(fetch(weir.port, get("/healthz")).status, 200)
            for path in ("/readyz", "/healthz"):
                with RawClient(weir.port, upgrade=path) as client:
                    client.send(frame(TEXT, b"here"))
                    self.assertEqual(client.frame(), (TEXT, b"here"))


if __name__ == "__main__":
    unittest.main()
