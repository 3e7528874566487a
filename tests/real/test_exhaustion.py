"""test_exhaustion - without free descriptors new clients are refused, connected clients are served, no thread spins and
the log stays short; when descriptors are free again, clients are admitted without a restart.

SPDX-License-Identifier: MIT
"""

import contextlib
import re
import socket
import tempfile
import time
import unittest
from pathlib import Path

from limited_server import LimitedWeir, try_to_enter
from plugin_build import compile_plugin
from process_state import processor_seconds
from raw_client import PATIENCE, TEXT, RawClient, frame
from weir_process import Weir, scaled, until

SERVER = """[server]
listen = 127.0.0.1:PORT
"""
ROUTE = "[route /echo]\nhandler = echo\n"
LIMIT = 300
CLIENTS = 1000


def processor_share(weir, seconds=2):
    """How much of one processor the server takes, averaged over some time."""
    before = processor_seconds(weir)
    start = time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(weir) - before) / (time.monotonic() - start)


class Exhaustion(unittest.TestCase):
    def echo(self, client):
        client.send(frame(TEXT, b"still here"))
        self.assertEqual(client.frame().payload, b"still here")

    def route_of_taker(self, directory):
        return f"[route /files]\nhandler = plugin:{compile_plugin('open_files', directory)}\n"

    def assertIdle(self, weir):
        share = processor_share(weir)
        print(f"{share * 100:.1f} % of a processor", end=" ", flush=True)
        self.assertLess(share, 0.2)

    def lines(self, weir, event):
        return len(re.findall(f"event={event} ", weir.log()))

    def test_clients_beyond_the_descriptors_get_503(self):
        with contextlib.ExitStack() as stack, LimitedWeir(LIMIT, SERVER + ROUTE) as weir:
            room = int(re.search(r"max_connections=(\d+)", weir.log_line("event=ready")).group(1))
            start = time.monotonic()
            answers = [try_to_enter(weir) for _ in range(scaled(CLIENTS, least=300))]
            elapsed = time.monotonic() - start
            clients = [stack.enter_context(answer) for answer in answers if isinstance(answer, RawClient)]
            self.assertEqual(len(clients), room)
            self.assertEqual(answers.count(503), len(answers) - room)
            self.assertLessEqual(self.lines(weir, "refuse"), elapsed + 1)
            self.assertIdle(weir)
            for client in clients:
                self.echo(client)
            for client in clients[:10]:
                client.vanish()
            again = [until(lambda: self.entered(weir), "a place is free") for _ in range(10)]
            for client in again:
                self.echo(stack.enter_context(client))

    def entered(self, weir):
        answer = try_to_enter(weir)
        return answer if isinstance(answer, RawClient) else None

    def test_full_server_withstands_unfinished_requests(self):
        with contextlib.ExitStack() as stack, LimitedWeir(LIMIT, SERVER + ROUTE) as weir:
            room = int(re.search(r"max_connections=(\d+)", weir.log_line("event=ready")).group(1))
            clients = [stack.enter_context(try_to_enter(weir)) for _ in range(room)]
            for i in range(scaled(CLIENTS, least=300)):
                source = f"127.0.1.{i % 250 + 1}", 0
                opened = socket.create_connection(("127.0.0.1", weir.port), PATIENCE, source)
                stack.enter_context(opened)
                with contextlib.suppress(ConnectionError):
                    opened.sendall(b"GET / HT")
            for client in clients:
                self.echo(client)
            self.assertEqual(try_to_enter(weir), 503)
            self.assertIdle(weir)
            clients[0].vanish()
            self.echo(stack.enter_context(until(lambda: self.entered(weir), "a place is free")))

    def test_server_recovers_when_descriptors_are_freed(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory, contextlib.ExitStack() as stack:
            weir = stack.enter_context(LimitedWeir(LIMIT, SERVER + ROUTE + self.route_of_taker(directory)))
            taker, other = (stack.enter_context(try_to_enter(weir, path)) for path in ("/files", "/echo"))
            for _ in range(2):  # and once more
                taker.send(frame(TEXT, b"take"))
                self.assertEqual(taker.frame().payload, b"take")
                self.assertEqual(weir.descriptors(), LIMIT)
                start = time.monotonic()
                answers = [try_to_enter(weir) for _ in range(scaled(200, least=50))]
                self.assertTrue(all(answer in (503, None) for answer in answers), answers)
                self.assertGreater(answers.count(503), len(answers) // 2)
                self.assertIdle(weir)
                self.assertLessEqual(self.lines(weir, "descriptors"), 2 * (time.monotonic() - start) + 4)
                self.echo(other)
                taker.send(frame(TEXT, b"give"))
                self.assertEqual(taker.frame().payload, b"give")
                self.echo(stack.enter_context(until(lambda: self.entered(weir), "there are descriptors again")))
            weir.log_line("event=descriptors", "available=no")
            weir.log_line("event=descriptors", "available=yes")

    def test_server_stops_without_free_descriptors(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            with LimitedWeir(LIMIT, SERVER + self.route_of_taker(directory)) as weir:
                with try_to_enter(weir, "/files") as taker:
                    taker.send(frame(TEXT, b"take"))
                    self.assertEqual(taker.frame().payload, b"take")
                    self.assertIn(try_to_enter(weir, "/files"), (503, None))

    def test_idle_server_takes_no_processor_time(self):
        with Weir(SERVER + ROUTE) as weir:
            with RawClient(weir.port, upgrade="/echo") as client:
                self.echo(client)
                time.sleep(1)  # the half-open reaper has gone to sleep
                before = sum(self.wakes(weir).values())
                time.sleep(2)
                woken = sum(self.wakes(weir).values()) - before
                print(f"{woken} wake-ups in 2 s", end=" ", flush=True)
                self.assertLess(woken, 60)  # some are those of a sanitizer; polling every 20 ms would be 100

    def wakes(self, weir):
        switches = {}
        for task in Path(f"/proc/{weir.pid}/task").iterdir():
            status = (task / "status").read_text()
            switches[task.name] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1))
        return switches


if __name__ == "__main__":
    unittest.main()
