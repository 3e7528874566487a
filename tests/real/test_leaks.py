"""test_leaks - the server under valgrind, stopped in mid-traffic: no memory is leaked.

Sanitizer builds find leaks in all other tests; valgrind cannot run such builds.

SPDX-License-Identifier: MIT
"""

import asyncio
import signal
import unittest

import websockets

from process_state import SANITIZED
from weir_process import PATIENCE, AsyncTestCase, Weir

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
[route /light/{status}]
handler = plugin:EXAMPLES/light.so
delay = 20ms
[route /command]
handler = plugin:EXAMPLES/command.so
"""


class UnderValgrind(Weir):
    def command(self, file):
        leaks = ["--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible"]
        return ["valgrind", "--quiet", "--error-exitcode=9", *leaks, *super().command(file)]


@unittest.skipIf(SANITIZED, "valgrind does not run what is built for a sanitizer")
class Leaks(AsyncTestCase):
    async def busy(self, weir, path):
        async with websockets.connect(weir.url(path), ping_interval=None, open_timeout=PATIENCE) as websocket:
            try:
                while True:
                    await websocket.send("message")
                    await websocket.recv()
            except websockets.ConnectionClosed:
                await websocket.wait_closed()
                return websocket.close_code

    async def test_server_leaks_no_memory_under_valgrind(self):
        # One broadcaster: several would each get more than they read and be cut at the end of drain_timeout.
        paths = ["/echo", "/light/on", "/no/route"] * 5 + ["/broadcast"]
        with UnderValgrind(CONFIGURATION) as weir:
            clients = [asyncio.create_task(self.busy(weir, path)) for path in paths]
            await asyncio.sleep(3)
            weir.process.send_signal(signal.SIGTERM)
            codes = await asyncio.wait_for(asyncio.gather(*clients), 2 * PATIENCE)
            self.assertEqual(set(codes), {1001, 4040})
            await asyncio.to_thread(weir.process.wait, PATIENCE)


if __name__ == "__main__":
    unittest.main()
