"""test_recovery - clients of weir.v1 lose their connection in every way and return at random, while three publishers
write as fast as they can: each client gets every message once and in order, or learns that it has missed some.

The clients and publishers are recover.c, which describes what it checks. WEIR_RECOVERY=100000 sends that many messages
to 200 clients.

SPDX-License-Identifier: MIT
"""

import json
import os
import random
import subprocess
import unittest

import swarm
from weir_process import PATIENCE, scaled

FULL = int(os.environ.get("WEIR_RECOVERY", "0"))
MESSAGES = FULL or scaled(10_000, least=5000)
CLIENTS = 200 if FULL else scaled(60, least=20)
RATE = 5000  # messages per second, where clients must keep up
LONGEST = 800 if FULL else 4 * PATIENCE


class Recovery(unittest.TestCase):
    def recover(self, settings, **options):
        """Returns how often each thing happened, once every client has reached the end."""
        options = {"clients": CLIENTS, "messages": MESSAGES, "seed": random.randrange(1 << 30), **options}
        with swarm.server(settings) as weir:
            words = [f"{name}={value}" for name, value in options.items()]
            with swarm.start("recover", weir.port, weir.admin_port, *words) as clients:
                try:
                    output, _ = clients.communicate(timeout=LONGEST)
                except subprocess.TimeoutExpired:
                    clients.kill()
                    raise
            self.assertEqual(clients.returncode, 0, f"recover {' '.join(words)}: {output}")
            counts = json.loads(output.splitlines()[-1])
            print(f"\n    {options} {counts}", end=" ", flush=True)
            self.compare(weir, options, counts)
        return counts

    def compare(self, weir, options, counts):
        """The counts of the server."""
        status, _, text = weir.ask("GET", "/api/channels/soak")
        self.assertEqual((status, json.loads(text)["offset"]), (200, options["messages"]))
        metrics = weir.metrics()
        self.assertEqual(metrics['weir_publishes_total{source="api"}'], counts["by_http"])
        self.assertEqual(metrics['weir_publishes_total{source="client"}'], counts["by_websocket"])
        # It may have answered clients that left before the answer.
        for result, name in (("complete", "recovered"), ("incomplete", "not_recovered")):
            self.assertGreaterEqual(metrics[f'weir_recoveries_total{{result="{result}"}}'], counts[name])
        ways = ("closed", "closed_listening", "reset", "ended_silently")
        for name in (*ways, "replayed", "by_http", "by_websocket"):
            self.assertGreater(counts[name], 0, f"{name}: this proves nothing")

    def test_recovery_with_long_history_misses_nothing(self):
        counts = self.recover(
            f"[channel *]\nhistory = {MESSAGES}\n"
            "[channel_limits]\nhistory_memory = 1GiB\n"
            "[websocket]\nsend_buffer_soft = 256MiB\nsend_buffer_hard = 512MiB\n",
            stay=1000 if FULL else 500,
        )
        self.assertEqual((counts["not_recovered"], counts["missed"]), (0, 0))
        self.assertEqual(counts["received"], CLIENTS * MESSAGES)

    def test_recovery_with_short_history_reports_gaps(self):
        history = 200
        counts = self.recover(
            f"[channel *]\nhistory = {history}\n", history=history, stay=500, away=100, filling=100, rate=RATE
        )
        self.assertGreater(counts["recovered"], 0)
        self.assertGreater(counts["not_recovered"], 0)

    def test_recovery_over_send_buffer_soft_reports_gaps(self):
        counts = self.recover(
            f"[channel *]\nhistory = {MESSAGES}\n[channel_limits]\nhistory_memory = 1GiB\n"
            "[websocket]\nmax_message_size = 16KiB\nsend_buffer_soft = 64KiB\nsend_buffer_hard = 2MiB\n",
            soft=65536, stay=500, away=100, filling=500, rate=RATE,
        )
        self.assertGreater(counts["recovered"], 0)
        self.assertGreater(counts["not_recovered"], 0)


if __name__ == "__main__":
    unittest.main()
