"""test_blocking - handlers that block do not delay other connections.

The measured times are printed. The assertions leave a wide margin: a busy machine or a slow build passes, and a server
in which one blocked handler delays others fails.

SPDX-License-Identifier: MIT
"""

import asyncio
import tempfile
import time
import unittest

import websockets

from plugin_build import compile_plugin
from weir_process import AsyncTestCase, AsyncWeirTestCase, Weir, scaled

SERVER = "[server]\nlisten = 127.0.0.1:PORT\nworkers = 4\n"
ROUTES = """
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
[route /slow/{status}]
handler = plugin:EXAMPLES/light.so
delay = 100ms
[route /second/{status}]
handler = plugin:EXAMPLES/light.so
delay = 1s
[route /block/{status}]
handler = plugin:EXAMPLES/light.so
delay = 5s
"""


def percentile(seconds, percent):
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * percent // 100)]


def report(what, seconds):
    figures = ", ".join(f"p{percent} {percentile(seconds, percent) * 1000:.2f} ms" for percent in (50, 90, 99, 100))
    print(f"\n    {what}: {len(seconds)} times, {figures}", end=" ", flush=True)


async def timed(action):
    start = time.perf_counter()
    await action
    return time.perf_counter() - start


async def echo(websocket):
    await websocket.send("20 bytes of message.")
    await websocket.recv()


async def ping(websocket):
    await (await websocket.ping())


class Blocking(AsyncWeirTestCase):
    configuration = SERVER + ROUTES

    async def connect(self, path, count):
        # Pings of the library itself would disturb the measurement.
        opened = [await websockets.connect(self.weir.url(path), ping_interval=None) for _ in range(count)]
        for websocket in opened:
            self.addAsyncCleanup(websocket.close)
        return opened

    async def test_handler_that_blocks_delays_no_echo(self):
        (slow,) = await self.connect("/second/on", 1)
        clients = await self.connect("/echo", 50)
        latencies, stop = [], asyncio.Event()

        async def keep_blocking():
            while not stop.is_set():
                await slow.send("lamp")
                self.assertEqual(await slow.recv(), "the light has turned on")

        async def talk(websocket, index):
            await asyncio.sleep(index * 0.001)
            for _ in range(scaled(100, least=20)):
                latencies.append(await timed(echo(websocket)))
                await asyncio.sleep(0.05)

        blocking = asyncio.create_task(keep_blocking())
        await asyncio.gather(*(talk(websocket, index) for index, websocket in enumerate(clients)))
        stop.set()
        await blocking
        report("echo next to one handler of a second", latencies)
        # A client that waits for the handler waits between 0 and 1 s: one in four waits 0.75 s or more.
        self.assertLess(percentile(latencies, 75), 0.5)

    async def test_others_go_on_while_every_permit_is_held(self):
        blockers = await self.connect("/block/on", 4)
        (late,) = await self.connect("/slow/on", 1)
        (echoer,) = await self.connect("/echo", 1)
        group = await self.connect("/broadcast", 5)
        rounds = scaled(100, least=10)

        for websocket in blockers:
            await websocket.send("lamp")
        answers = [asyncio.create_task(websocket.recv()) for websocket in blockers]
        await asyncio.sleep(0.2)
        await late.send("lamp")  # needs a permit, and all are held
        late_answer = asyncio.create_task(late.recv())

        async def broadcast():
            await group[0].send("news")
            await asyncio.gather(*(websocket.recv() for websocket in group))

        actions = {
            "echo": lambda: echo(echoer),
            "broadcast to 5": broadcast,
            "ping on blocked connections": lambda: asyncio.gather(*map(ping, blockers)),
            "new connection": lambda: self.connect("/echo", 1),
        }
        for what, action in actions.items():
            report(f"{what}, every permit held", [await timed(action()) for _ in range(rounds)])
        self.assertFalse(late_answer.done(), "a permit was free, so this proves nothing")
        self.assertFalse(any(answer.done() for answer in answers), "something waited for the blocked handlers")

        self.assertEqual(await asyncio.gather(*answers, late_answer), ["the light has turned on"] * 5)

    async def test_more_blocking_handlers_than_permits_take_turns(self):
        clients = await self.connect("/second/off", 12)
        for websocket in clients:
            await websocket.send("lamp")
        elapsed = await timed(asyncio.gather(*(websocket.recv() for websocket in clients)))
        print(f"\n    12 times 1 s on 4 workers: {elapsed * 1000:.0f} ms", end=" ", flush=True)
        self.assertGreaterEqual(elapsed, 2.5)  # three rounds; the clock starts after the first was sent
        self.assertLess(elapsed, 10)  # one after the other would take 12 s


class SendThenBlock(AsyncTestCase):
    async def test_sent_message_leaves_before_the_handler_returns(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = compile_plugin("send_then_block", directory)
            with Weir(SERVER + f"[route /early]\nhandler = plugin:{plugin}\n") as weir:
                await self.talk(weir)

    async def talk(self, weir):
        async with websockets.connect(weir.url("/early")) as idle, websockets.connect(weir.url("/early")) as sender:
            await asyncio.sleep(0.3)  # every thread of the server has gone to sleep
            start = time.perf_counter()

            async def receive(websocket, expected):
                self.assertEqual(await websocket.recv(), expected)
                return time.perf_counter() - start

            news = asyncio.create_task(receive(idle, "news"))
            first = asyncio.create_task(receive(sender, "first"))
            await sender.send("go")
            report("broadcast before blocking", [await news])
            report("reply before blocking", [await first])
            second = await receive(sender, "second")
            self.assertGreaterEqual(second, 3)
            # Whatever waits for the handler comes with `second`, or just before it.
            self.assertLess(max(news.result(), first.result()), second - 1.5)


if __name__ == "__main__":
    unittest.main()
