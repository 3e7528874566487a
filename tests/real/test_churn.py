"""test_churn - clients that join, send and leave without a pause: by Close, by reset, in the middle of a frame, by
falling silent, or with their process killed; and clients that vanish without a FIN because their cable is cut.
Afterwards descriptors, threads and memory are as before.

The clients are churn_client.py, in several processes. WEIR_CHURN=600 runs 2,000 of them for 600 seconds; the default is
fewer for some seconds.

SPDX-License-Identifier: MIT
"""

import collections
import json
import os
import random
import subprocess
import sys
import time
import unittest
from pathlib import Path

from far_network import HERE, FarNetwork, Unavailable
from process_state import MIB, SANITIZED, memory, settled_descriptors, threads
from raw_client import BINARY, TEXT, RawClient, frame
from weir_process import PATIENCE, Weir, scaled, until

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
workers = 4
max_half_open_per_ip = 0
[websocket]
ping_interval = 500ms
ping_timeout = 3s
close_timeout = 1s
"""
ROUTES = """[log]
level = warning
[route /plain]
handler = echo
compression = off
[route /on]
handler = echo
compression = on
[route /takeover]
handler = echo
compression = takeover
[route /broadcast]
handler = broadcast
[route /light/{status}]
handler = plugin:EXAMPLES/light.so
delay = 5ms
"""
VANISH_SETTINGS = f"""[server]
listen = 127.0.0.1:PORT, {HERE}:PORT
workers = 4
[websocket]
ping_interval = 1s
ping_timeout = 2s
send_timeout = 2s
close_timeout = 1s
"""
LONG = float(os.environ.get("WEIR_CHURN", "0"))
CLIENTS = scaled(2000 if LONG else 300, least=40)
ROUND_SECONDS = LONG / 4 if LONG else 3
STAY_SECONDS = 8 if LONG else 1
PROCESSES = 4
KILL_EVERY = 10 if LONG else 1  # seconds
CHURN_CLIENT = Path(__file__).with_name("churn_client.py")
ROUNDS = 4
GROWTH = 2 * MIB  # from one round to a later one: an allocator may need it for clients that come in another order


class Clients:
    """One process with many clients."""

    def __init__(self, port, seconds):
        self.deadline = time.monotonic() + seconds
        arguments = [port, CLIENTS // PROCESSES, max(1, round(seconds)), random.randrange(1 << 30), STAY_SECONDS]
        command = [sys.executable, CHURN_CLIENT, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def result(self):
        output, errors = self.process.communicate(timeout=2 * PATIENCE + max(0, self.deadline - time.monotonic()))
        if self.process.returncode != 0:
            raise AssertionError(f"churn_client: {errors}")
        return collections.Counter(json.loads(output.splitlines()[-1]))


class Churn(unittest.TestCase):
    def churn(self, weir):
        """One round. Returns how often each thing happened."""
        end = time.monotonic() + ROUND_SECONDS
        processes = [Clients(weir.port, ROUND_SECONDS) for _ in range(PROCESSES)]
        killed = 0
        while (left := end - time.monotonic()) > 2 * KILL_EVERY:
            time.sleep(KILL_EVERY)
            processes.pop(0).kill()
            processes.append(Clients(weir.port, left - KILL_EVERY))
            killed += 1
        return sum((process.result() for process in processes), collections.Counter(processes_killed=killed))

    def test_descriptors_threads_and_memory_are_given_back(self):
        with Weir(CONFIGURATION + ROUTES) as weir:
            self.echo(weir)
            descriptors_before, threads_before = settled_descriptors(weir), threads(weir)
            memory_after, total = [], collections.Counter()
            for _ in range(ROUNDS):
                total += self.churn(weir)
                until(lambda: weir.descriptors() <= descriptors_before, "the descriptors are closed")
                self.assertEqual(threads(weir), threads_before)
                memory_after.append(memory(weir))
                self.echo(weir)
            print(f"\n    {dict(total)}", end=" ")
            sizes = [size // 1024 for size in memory_after]
            print(f"\n    memory after each round: {sizes} KiB", end=" ", flush=True)
            for way in ("joined", "answers", "leave_by_close", "leave_by_reset", "processes_killed"):
                self.assertGreater(total[way], 0, f"{way}: this proves nothing")
            if not SANITIZED:
                self.assertLess(memory_after[-1] - memory_after[-2], GROWTH)

    def echo(self, weir):
        with RawClient(weir.port, "/plain") as client:
            client.send(frame(TEXT, b"still there?"))
            self.assertEqual(client.frame().payload, b"still there?")


class Vanish(unittest.TestCase):
    """The kernel alone would keep such a connection for 15 minutes if it has data to send, and for ever if not."""

    def vanish(self, path, then=lambda weir: None):
        """Prints how long the server keeps the vanished clients."""
        far = self.far_network()
        with Weir(VANISH_SETTINGS + ROUTES) as weir:
            then(weir)
            descriptors_before, memory_before = settled_descriptors(weir), memory(weir)
            clients = far.connect(weir.port, path, scaled(200, least=20))
            self.assertGreaterEqual(weir.descriptors(), descriptors_before + len(clients))
            far.cut()
            start = time.monotonic()
            then(weir)
            memory_after_cut = memory(weir)
            until(lambda: weir.descriptors() <= descriptors_before, "the vanished clients are gone")
            if not SANITIZED:
                self.assertLess(memory(weir) - memory_before, 8 * MIB)
            elapsed = time.monotonic() - start
            sizes = [size // 1024 for size in (memory_before, memory_after_cut, memory(weir))]
            print(f"\n    {len(clients)} of {path}: {elapsed:.1f} s, {sizes} KiB", end=" ", flush=True)
            for client in clients:
                client.socket.close()

    def far_network(self):
        try:
            return self.enterContext(FarNetwork())
        except Unavailable as unavailable:
            self.skipTest(str(unavailable))

    def test_vanished_idle_clients_are_closed(self):
        self.vanish("/plain")

    def test_vanished_clients_with_a_backlog_are_closed(self):
        def broadcast(weir):
            with RawClient(weir.port, "/broadcast") as sender:
                for _ in range(20):
                    sender.send(frame(BINARY, bytes(20000)))
                    self.assertEqual(sender.frame().opcode, BINARY)

        self.vanish("/broadcast", broadcast)


if __name__ == "__main__":
    unittest.main()
