"""test_half_open - clients that never finish their request neither occupy the HTTP threads nor delay other clients;
clients that do finish it are not cut off, however many come at once.

Attackers and clients have loopback addresses of their own: 127.0.0.2, 127.0.0.3 and so on.

SPDX-License-Identifier: MIT
"""

import asyncio
import contextlib
import select
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import websockets
from plugin_build import compile_plugin
from raw_client import PATIENCE, TEXT, RawClient, frame, request
from weir_process import AsyncTestCase, Weir, scaled, until

SERVER = """[server]
listen = 127.0.0.1:PORT
"""
ROUTE = "[route /echo]\nhandler = echo\n"
ATTACKERS = 1000
UNFINISHED = b"GET /echo HTTP/1.1\r\nHost: 127"  # a head that stays incomplete
THREADS = 16  # the default of http_threads
LONG_TIMEOUT = 60  # seconds: handshake_timeout where a visitor is admitted only if requests are cut off earlier
UNDER_ATTACK = SERVER + ROUTE + f"[websocket]\nhandshake_timeout = {LONG_TIMEOUT}s\n"
PER_ADDRESS = 8  # the default of max_half_open_per_ip


def open_from(weir, address, data=b""):
    """A connection from this address on which `data` has been sent."""
    opened = socket.create_connection(("127.0.0.1", weir.port), PATIENCE, (address, 0))
    with contextlib.suppress(ConnectionError):  # cut off already
        opened.sendall(data)
    return opened


def is_cut_off(opened):
    """Whether it has been answered or closed or both."""
    opened.setblocking(False)
    try:
        opened.recv(65536, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def visit(weir, address):
    """Connects from this address and gets an echo. Returns how many seconds the 101 took."""
    start = time.perf_counter()
    client = RawClient.__new__(RawClient)
    client.socket, client.buffer = open_from(weir, address, request("/echo")), b""
    with client:
        if client.response().status != 101:
            raise AssertionError("not let in")
        elapsed = time.perf_counter() - start
        client.send(frame(TEXT, b"here"))
        if client.frame().payload != b"here":
            raise AssertionError("no echo")
    return elapsed


@contextlib.contextmanager
def attack(weir, addresses, count, data):
    """Runs for as long as the block. Adds to the list that it yields how many were cut off, and how many of those
    without an answer."""
    script = Path(__file__).with_name("half_open_attack.py")
    command = [sys.executable, script, str(weir.port), str(count), data.decode(), *addresses]
    cut_off = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield cut_off
        finally:
            output, _ = process.communicate(timeout=PATIENCE)
    if not output.startswith("open"):
        raise AssertionError("the attack never was complete")
    cut_off.extend(map(int, output.split()[1:]))


class HalfOpen(unittest.TestCase):
    def measure(self, weir, addresses, count, data, seconds):
        """How long each of several visits took, from the beginning of the attack on."""
        times = []
        with attack(weir, addresses, count, data) as cut_off:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                times.append(visit(weir, "127.0.0.9"))
                time.sleep(0.005)
        times.sort()
        print(f"\n    {len(times)} visits, median {times[len(times) // 2] * 1000:.1f} ms, longest "
              f"{times[-1] * 1000:.1f} ms, {cut_off[0]} cut off", end=" ", flush=True)
        # Without a defence the attack would keep every visitor out for LONG_TIMEOUT. The kernel may drop a SYN while
        # its queue is full; the visitor then repeats it after 1, 3 and 7 s.
        self.assertLess(times[-1], LONG_TIMEOUT / 3)
        self.assertLess(times[len(times) // 2], LONG_TIMEOUT / 20)
        if data:
            self.assertEqual(cut_off[1], 0)
        return cut_off[0]

    def test_unfinished_requests_of_one_address_delay_no_others(self):
        with Weir(UNDER_ATTACK) as weir:
            cut_off = self.measure(weir, ["127.0.0.2"], scaled(ATTACKERS, least=300), UNFINISHED, 5)
            self.assertGreater(cut_off, 100)
            line = weir.log_line("event=half_open", "peer=127.0.0.2")
            self.assertIn("level=warning", line)
            self.assertLessEqual(weir.log().count("event=half_open"), 10)

    def test_silent_connections_delay_no_others(self):
        with Weir(UNDER_ATTACK) as weir:
            self.measure(weir, ["127.0.0.2"], scaled(ATTACKERS, least=300), b"", 8)

    def test_addresses_that_hold_every_thread_delay_no_others(self):
        """Each address keeps to the limit per address."""
        with Weir(UNDER_ATTACK) as weir:
            addresses = [f"127.0.1.{i}" for i in range(1, THREADS // PER_ADDRESS + 1)]
            self.measure(weir, addresses, THREADS, UNFINISHED, 3)
            weir.log_line("event=half_open", "beyond_limit=0")

    def test_unfinished_requests_of_many_addresses_delay_no_others(self):
        with Weir(UNDER_ATTACK) as weir:
            self.measure(weir, [f"127.0.1.{i}" for i in range(1, 101)], 500, UNFINISHED, 3)

    def open_all(self, weir, address, count, data=UNFINISHED):
        """One after the other, so that the server sees their ages differ."""
        opened = []
        for _ in range(count):
            opened.append(open_from(weir, address, data))
            self.addCleanup(opened[-1].close)
            time.sleep(0.05)
        return opened

    def assertCutOff(self, opened, status):
        opened.settimeout(PATIENCE)
        answer = opened.makefile("rb").read()
        self.assertRegex(answer, b"^HTTP/1.1 %d [^\r]+\r\n(?s:.+)\r\n\r\n(?s:.+)\n$" % status)
        self.assertEqual(b"\r\nRetry-After: 1\r\n" in answer, status == 503)

    def test_heads_in_two_pieces_are_all_answered(self):
        """60 of one address, 30 addresses, and 200 of one: most of them wait for a thread."""
        crowds = [["127.0.0.2"] * 60, [f"127.0.1.{i}" for i in range(1, 31)], ["127.0.0.3"] * 200]
        for threads in (THREADS, 4 * THREADS):
            with Weir(SERVER + f"http_threads = {threads}\n" + ROUTE) as weir:
                for crowd in crowds:
                    opened = [open_from(weir, address, UNFINISHED) for address in crowd]
                    time.sleep(0.06)
                    for one in opened:
                        one.sendall(request("/echo")[len(UNFINISHED) :])
                    answers = [one.recv(4096) for one in opened]
                    for one in opened:
                        one.close()
                    self.assertEqual([answer for answer in answers if b" 101 " not in answer], [])
                self.assertNotIn("half_open", weir.log())

    def test_unfinished_request_gets_408_after_the_timeout(self):
        """No other client waits: each request of one address has the whole timeout, and then gets 408."""
        with Weir(SERVER + ROUTE + "[websocket]\nhandshake_timeout = 3s\n") as weir:
            start = time.monotonic()
            opened = self.open_all(weir, "127.0.0.2", PER_ADDRESS + 8)
            first = opened[0]
            first.settimeout(PATIENCE)
            first.recv(1, socket.MSG_PEEK)
            self.assertGreaterEqual(time.monotonic() - start, 2.9)
            for one in opened:
                self.assertCutOff(one, 408)
            weir.log_line("event=half_open", "beyond_limit=0", "oldest=0")

    def test_request_over_the_limit_of_its_address_is_cut(self):
        """When a client waits for a thread, one request over the limit of its address is cut off."""
        with Weir(SERVER + "http_threads = 10\n" + ROUTE + "[websocket]\nhandshake_timeout = 1m\n") as weir:
            opened = self.open_all(weir, "127.0.0.2", PER_ADDRESS + 2)
            time.sleep(1.2)
            self.assertFalse(any(map(is_cut_off, opened)))
            visit(weir, "127.0.0.9")
            until(lambda: any(map(is_cut_off, opened)), "one is cut off")
            self.assertEqual([is_cut_off(one) for one in opened], [False] * PER_ADDRESS + [True, False])
            self.assertCutOff(opened[PER_ADDRESS], 503)
            weir.log_line("event=half_open", "beyond_limit=1", "oldest=0")

    def check_the_oldest_goes(self, more):
        configuration = SERVER + "http_threads = 10\n" + more + ROUTE + "[websocket]\nhandshake_timeout = 1m\n"
        with Weir(configuration) as weir:
            opened = self.open_all(weir, "127.0.0.2", PER_ADDRESS + 2)
            visit(weir, "127.0.0.9")
            until(lambda: any(map(is_cut_off, opened)), "one is cut off")
            self.assertEqual([is_cut_off(one) for one in opened], [True] + [False] * (PER_ADDRESS + 1))
            self.assertCutOff(opened[0], 503)
            weir.log_line("event=half_open", "beyond_limit=0", "oldest=1")

    def test_oldest_request_is_cut_without_a_limit_per_address(self):
        self.check_the_oldest_goes("max_half_open_per_ip = 0\n")

    def test_oldest_request_is_cut_for_a_trusted_proxy(self):
        self.check_the_oldest_goes("trusted_proxies = 127.0.0.2, 10.0.0.0/8\n")

    def end_of(self, weir, data):
        """After how many seconds a request is cut off that continues with one byte per second."""
        opened = open_from(weir, "127.0.0.2", data[:1])
        start = time.monotonic()
        with opened:
            for i in range(1, len(data) + 1):
                if select.select([opened], [], [], 1)[0]:
                    return time.monotonic() - start
                with contextlib.suppress(ConnectionError):
                    opened.sendall(data[i : i + 1])
        raise AssertionError("never cut off")

    def test_request_of_a_byte_a_second_is_cut(self):
        with Weir(SERVER + ROUTE + "[websocket]\nhandshake_timeout = 2s\n") as weir:
            elapsed = self.end_of(weir, request("/echo"))
            print(f"{elapsed:.2f} s", end=" ", flush=True)
            self.assertGreaterEqual(elapsed, 1.9)
            self.assertLess(elapsed, 8)

    def test_silent_connection_is_closed_after_the_timeout(self):
        """The kernel holds the connection back for the first second; its timeout is the usual one. There is no request
        to answer."""
        with Weir(SERVER + ROUTE + "[websocket]\nhandshake_timeout = 2s\n") as weir:
            weir.log_line("event=ready")
            with open_from(weir, "127.0.0.2") as opened:
                start = time.monotonic()
                self.assertEqual(opened.recv(1), b"")
            elapsed = time.monotonic() - start
            print(f"{elapsed:.2f} s", end=" ", flush=True)
            self.assertGreaterEqual(elapsed, 1.9)
            self.assertLess(elapsed, 8)

    def test_slow_and_short_requests_are_served(self):
        """In two parts, the second 300 ms later; and one without a field, which is as short as a head can be."""
        with Weir(SERVER + ROUTE) as weir:
            head = request("/echo")
            with open_from(weir, "127.0.0.2", head[:30]) as opened:
                time.sleep(0.3)
                opened.sendall(head[30:])
                self.assertIn(b" 101 ", opened.recv(4096))
            with open_from(weir, "127.0.0.2", b"GET / HTTP/1.0\r\n\r\n") as opened:
                self.assertIn(b" 200 ", opened.recv(4096))

    def test_stop_does_not_wait_for_unfinished_requests(self):
        weir = Weir(SERVER + ROUTE)
        opened = [open_from(weir, "127.0.0.2", UNFINISHED) for _ in range(PER_ADDRESS)]
        time.sleep(0.1)
        start = time.monotonic()
        weir.stop()
        print(f"{time.monotonic() - start:.2f} s", end=" ", flush=True)
        for one in opened:
            self.assertCutOff(one, 503)
            one.close()


class Legitimate(AsyncTestCase):
    async def test_handshake_storm_of_one_address_is_served(self):
        count = scaled(1000)
        with Weir(SERVER + "max_connections = 4000\n" + ROUTE) as weir:
            weir.log_line("event=ready")  # from then on the kernel holds silent connections back
            opened = await asyncio.gather(
                *(websockets.connect(weir.url("/echo"), ping_interval=None, open_timeout=60) for _ in range(count))
            )

            async def talk(websocket):
                await websocket.send("here")
                self.assertEqual(await websocket.recv(), "here")
                await websocket.close()

            await asyncio.gather(*map(talk, opened))
            self.assertNotIn("half_open", weir.log())

    async def test_handshake_storm_sent_late_is_served(self):
        """As a busy client does: every connection stands before the first request leaves."""
        count = scaled(1000)
        with Weir(SERVER + "max_connections = 4000\n" + ROUTE) as weir:
            weir.log_line("event=ready")  # from then on the kernel holds silent connections back
            opened = [socket.create_connection(("127.0.0.1", weir.port), PATIENCE) for _ in range(count)]
            await asyncio.sleep(0.5)
            for one in opened:
                one.sendall(request("/echo"))
            for one in opened:
                self.assertIn(b" 101 ", one.recv(4096))
                one.close()
            self.assertNotIn("half_open", weir.log())

    async def test_slow_upgrade_callbacks_are_not_cut(self):
        """All threads are in callbacks for three seconds, while requests of the same address wait for a thread."""
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = compile_plugin("slow_upgrade", directory)
            route = f"[route /slow]\nhandler = plugin:{plugin}\n"
            with Weir(SERVER + "[websocket]\nhandshake_timeout = 2s\n" + route) as weir:

                async def talk():
                    async with websockets.connect(weir.url("/slow"), open_timeout=60) as websocket:
                        await websocket.send("here")
                        self.assertEqual(await websocket.recv(), "here")

                await asyncio.gather(*(talk() for _ in range(2 * THREADS)))
                self.assertNotIn("half_open", weir.log())


if __name__ == "__main__":
    unittest.main()
