"""test_busy_workers - when all workers are in handlers and messages wait, the log says which routes hold them.

SPDX-License-Identifier: MIT
"""

import asyncio
import contextlib
import functools
import json
import re

import websockets

from weir_process import PATIENCE, AsyncTestCase, Weir

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
workers = 2
[log]
format = json
[route /echo]
handler = echo
[route /slow/{status}]
handler = plugin:EXAMPLES/light.so
delay = DELAY
concurrency = CONCURRENCY
"""


class BusyWorkers(AsyncTestCase):
    def serve(self, delay, concurrency=0):
        return Weir(CONFIGURATION.replace("DELAY", delay).replace("CONCURRENCY", str(concurrency)))

    async def ask_all(self, weir, clients):
        """Connects all clients, then lets them send at the same time. Returns when each has its answer."""
        async with contextlib.AsyncExitStack() as stack:
            connect = functools.partial(websockets.connect, weir.url("/slow/on"), open_timeout=PATIENCE)
            asking = [await stack.enter_async_context(connect()) for _ in range(clients)]
            for websocket in asking:
                await websocket.send("x")
            await asyncio.wait_for(asyncio.gather(*(websocket.recv() for websocket in asking)), PATIENCE)

    def warnings(self, weir):
        events = [json.loads(line) for line in weir.log().splitlines()]
        return [event for event in events if event["event"] == "workers_busy"]

    async def test_warning_names_the_routes_that_hold_all_workers(self):
        """Two handlers sleep for three seconds while two messages wait. Then those sleep, and nothing waits."""
        with self.serve("3s") as weir:
            await self.ask_all(weir, 4)
            (event,) = self.warnings(weir)
        self.assertEqual((event["level"], event["workers"]), ("warning", 2))
        self.assertIn(event["waiting"], (1, 2))
        self.assertGreater(event["waited_ms"], 999)
        held = re.fullmatch(r"/slow/\{status\}: 2 \((\d+) ms\)", event["held_by"])
        self.assertIsNotNone(held, event)
        self.assertGreater(int(held[1]), 900)
        self.assertRegex(event["reason"], "raise workers, or limit these routes with concurrency")

    async def test_echo_goes_on_while_all_workers_are_busy(self):
        with self.serve("3s") as weir:
            asking = asyncio.create_task(self.ask_all(weir, 4))
            await asyncio.to_thread(weir.log_line, "workers_busy")
            async with websockets.connect(weir.url("/echo")) as websocket:
                await websocket.send("here")
                self.assertEqual(await websocket.recv(), "here")
                await (await websocket.ping())
            self.assertFalse(asking.done())
            await asking

    async def test_no_warning_while_a_worker_is_free(self):
        with self.serve("2s") as weir:
            await self.ask_all(weir, 2)
            self.assertEqual(self.warnings(weir), [])

    async def test_no_warning_for_waits_at_a_concurrency_limit(self):
        with self.serve("1500ms", concurrency=1) as weir:
            await self.ask_all(weir, 3)
            self.assertEqual(self.warnings(weir), [])
