"""test_keepalive - the server sends pings; clients that answer stay, silent ones are closed.

SPDX-License-Identifier: MIT
"""

import asyncio
import unittest

import websockets

from raw_client import CLOSE, PING, PONG, RawClient, close_frame, frame
from weir_process import AsyncTestCase, Weir

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[websocket]
ping_interval = 300ms
ping_timeout = 1s
[route /echo]
handler = echo
[route /light/{status}]
handler = plugin:EXAMPLES/light.so
delay = 4s
"""


class Keepalive(AsyncTestCase):
    async def test_client_that_answers_pings_stays(self):
        """Four seconds, three times what a silent client has; one of the two waits for its handler meanwhile."""
        with Weir(CONFIGURATION) as weir:
            async with (
                websockets.connect(weir.url("/echo"), ping_interval=None) as idle,
                websockets.connect(weir.url("/light/on"), ping_interval=None) as waiting,
            ):
                await waiting.send("lamp")
                self.assertEqual(await waiting.recv(), "the light has turned on")
                await idle.send("still there?")
                self.assertEqual(await idle.recv(), "still there?")

    async def test_silent_client_is_closed_with_1011(self):
        with Weir(CONFIGURATION) as weir, RawClient(weir.port, upgrade="/echo") as client:
            frames = [client.frame()]
            while frames[-1].opcode != CLOSE:
                frames.append(client.frame())
            self.assertEqual(frames[0].opcode, PING)
            self.assertEqual(frames[-1].close_code, 1011)
            client.send(close_frame(1011))
            self.assertTrue(client.at_end())

    async def test_pong_keeps_a_connection(self):
        with Weir(CONFIGURATION) as weir, RawClient(weir.port, upgrade="/echo") as client:
            for _ in range(6):
                ping = client.frame()
                self.assertEqual(ping.opcode, PING)
                client.send(frame(PONG, ping.payload))
                await asyncio.sleep(0)


IDLE = """[server]
listen = 127.0.0.1:PORT
[websocket]
idle_timeout = 3s
[route /room]
handler = broadcast
[route /alone]
handler = echo
"""


class IdleTimeout(AsyncTestCase):
    async def test_idle_timeout_counts_messages_in_either_direction(self):
        """One client sends, one receives and one does neither: only that one is closed. Pings do not count."""
        with Weir(IDLE) as weir:
            async with (
                websockets.connect(weir.url("/alone"), ping_interval=0.5) as silent,
                websockets.connect(weir.url("/room"), ping_interval=None) as speaks,
                websockets.connect(weir.url("/room"), ping_interval=None) as listens,
            ):
                closed = asyncio.create_task(silent.wait_closed())
                while not closed.done():
                    await speaks.send("x")
                    await asyncio.wait([closed], timeout=0.2)
                self.assertEqual(silent.close_code, 1001)
                for _ in range(5):  # the others began a little later
                    await speaks.send("x")
                    await asyncio.sleep(0.2)
                await speaks.send("the last")
                while await listens.recv() != "the last":
                    pass
                self.assertEqual(await asyncio.wait_for(speaks.recv(), 5), "x")


if __name__ == "__main__":
    unittest.main()
