"""test_memory_limit - memory_limit also counts long paths and subscriptions. The clients that use most memory are
closed, the others are not.

SPDX-License-Identifier: MIT
"""

import json
import select
import unittest

from admin_server import WithAdmin
from raw_client import CLOSE, PING, PONG, TEXT, RawClient, frame
from weir_process import until

LIMIT = 512 * 1024
CONFIGURATION = f"""
[server]
listen = 127.0.0.1:PORT
memory_limit = {LIMIT}
http_threads = 1
[admin]
listen = 127.0.0.1:ADMIN
[websocket]
close_timeout = 500ms
[channel_limits]
history_memory = 0
[route /echo/*]
handler = echo
[route /channels]
handler = pubsub
"""


class MemoryLimit(unittest.TestCase):
    def setUp(self):
        self.weir = self.enterContext(WithAdmin(CONFIGURATION))
        self.small = [self.client("/echo/small") for _ in range(5)]

    def client(self, path):
        return self.enterContext(RawClient(self.weir.port, path))

    def counted(self):
        return self.weir.metrics()["weir_message_memory_bytes"]

    def shed(self):
        return self.weir.metrics()['weir_slow_consumers_total{action="memory_limit"}']

    def check_small(self):
        for client in self.small:
            client.send(frame(PING, b"there?"))
            self.assertEqual(client.frame(), (PONG, b"there?"))

    def check_closed(self, clients):
        """How many were closed with 1013; the others must have received nothing."""
        ready, _, _ = select.select([client.socket for client in clients], [], [], 0)
        codes = [client.frame() for client in clients if client.socket in ready]
        self.assertEqual({(one.opcode, one.close_code) for one in codes}, {(CLOSE, 1013)})
        return len(codes)

    def test_memory_limit_closes_clients_with_long_paths(self):
        before = self.counted()
        self.client("/echo/" + "p" * 1900)
        self.assertGreater(self.counted() - before, 3000)
        clients = [self.client("/echo/" + "p" * 1900) for _ in range(300)]
        until(lambda: self.shed() > 0 and self.counted() <= LIMIT, "the limit is kept again")
        closed = self.check_closed(clients)
        self.assertTrue(0 < closed < 300, closed)
        self.check_small()

    def test_memory_limit_closes_clients_with_many_subscriptions(self):
        clients = []
        for number in range(6):
            client = self.client("/channels")
            for channel in range(1000):
                client.send_all_it_takes(frame(TEXT, json.dumps({"type": "subscribe", "channel": f"c:{channel}"}).encode()))
            clients.append(client)
        until(lambda: self.shed() > 0 and self.counted() <= LIMIT, "the limit is kept again")
        self.check_small()


if __name__ == "__main__":
    unittest.main()
