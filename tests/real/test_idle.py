"""test_idle - many idle clients cost no thread and little memory, and do not delay others.

SPDX-License-Identifier: MIT
"""

import resource
import unittest

from process_state import SANITIZED, memory, threads
from raw_client import TEXT, RawClient, frame
from weir_process import Weir, scaled, until

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[log]
level = warning
[route /echo]
handler = echo
"""
IDLE = 5000
BYTES_PER_CLIENT = 1000  # of the server's memory, its allocator's overhead included; a thread's stack would be more


class Idle(unittest.TestCase):
    def echo(self, weir):
        with RawClient(weir.port, "/echo") as client:
            client.send(frame(TEXT, b"still there?"))
            self.assertEqual(client.frame().payload, b"still there?")

    def test_idle_clients_cost_little_memory_and_no_thread(self):
        count = scaled(IDLE)
        _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        with Weir(CONFIGURATION) as weir:
            self.echo(weir)
            threads_before, descriptors = threads(weir), weir.descriptors()
            clients = [RawClient(weir.port, "/echo") for _ in range(count // 5)]
            memory_before = memory(weir)  # including what each thread allocates once, whatever the number of clients
            clients += [RawClient(weir.port, "/echo") for _ in range(count)]
            self.assertEqual(threads(weir), threads_before)
            if not SANITIZED:
                self.assertLess(memory(weir) - memory_before, count * BYTES_PER_CLIENT)
            self.echo(weir)
            for client in clients:
                client.vanish()
            until(lambda: weir.descriptors() <= descriptors, "the descriptors of the clients that left are closed")


if __name__ == "__main__":
    unittest.main()
