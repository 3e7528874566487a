"""test_stop - a stop in mid-traffic: every client gets 1001, no connection is lost, and the server exits with status 0.

SPDX-License-Identifier: MIT
"""

import asyncio
import fcntl
import random
import signal
import termios
import time
import unittest

import websockets

from raw_client import TEXT, RawClient, close_frame, frame
from weir_process import PATIENCE, AsyncTestCase, Weir, scaled, until

SERVER = "[server]\nlisten = 127.0.0.1:PORT\nworkers = 4\n"
ROUTES = """
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
[route /light/{status}]
handler = plugin:EXAMPLES/light.so
delay = 20ms
"""
CLIENTS = 40


async def closed_with(websocket):
    """The code that ended a connection on which sending or receiving has failed; 1006 if there was no Close."""
    await asyncio.wait_for(websocket.wait_closed(), PATIENCE)
    return websocket.close_code


async def busy(weir, path, started):
    """Talks without a pause until the server ends it. Returns the close code."""
    async with websockets.connect(weir.url(path), ping_interval=None) as websocket:
        started.release()
        try:
            while True:
                await websocket.send("message " * 5)
                await websocket.recv()
        except websockets.ConnectionClosed:
            return await closed_with(websocket)


async def sends_only(weir, path, started):
    """Sends faster than it reads, so that the server has input unread when it stops."""
    async with websockets.connect(weir.url(path), ping_interval=None) as websocket:
        started.release()

        async def read():
            async for _ in websocket:
                pass

        reading = asyncio.create_task(read())
        try:
            while True:
                await websocket.send("message " * 50)
                await asyncio.sleep(0)
        except websockets.ConnectionClosed:
            await asyncio.gather(reading, return_exceptions=True)
            return await closed_with(websocket)


async def idle(weir, path, started):
    async with websockets.connect(weir.url(path), ping_interval=None) as websocket:
        started.release()
        return await closed_with(websocket)


class Stop(AsyncTestCase):
    async def stop_in_traffic(self, number, clients):
        """Clients are (function, path) pairs. Returns how long the server took to end."""
        with Weir(SERVER + ROUTES) as weir:
            started = asyncio.Semaphore(0)
            tasks = [asyncio.create_task(client(weir, path, started)) for client, path in clients]
            for _ in tasks:
                await started.acquire()
            await asyncio.sleep(random.uniform(0, 0.3))
            weir.process.send_signal(number)
            codes = await asyncio.wait_for(asyncio.gather(*tasks), 2 * PATIENCE)
            self.assertEqual(codes, [1001] * len(tasks))
            start = time.monotonic()
            await asyncio.to_thread(weir.process.wait, PATIENCE)
            self.assertEqual(weir.process.returncode, 0, weir.log_end())
            return time.monotonic() - start

    async def test_sigterm_closes_forty_busy_clients_with_1001(self):
        for _ in range(scaled(20, least=3)):
            await self.stop_in_traffic(signal.SIGTERM, [(busy, "/echo")] * CLIENTS)

    async def test_sigint_closes_busy_clients_with_1001(self):
        await self.stop_in_traffic(signal.SIGINT, [(busy, "/echo")] * CLIENTS)

    async def test_sigterm_closes_every_kind_of_client_with_1001(self):
        kinds = [(busy, "/echo"), (sends_only, "/echo"), (idle, "/echo"), (busy, "/broadcast"), (busy, "/light/on")]
        for _ in range(scaled(5, least=2)):
            await self.stop_in_traffic(signal.SIGTERM, kinds * 4)

    async def test_stop_without_clients_succeeds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            await self.stop_in_traffic(number, [])


class HeldBack(unittest.TestCase):
    """Messages that the server has received but not handled yet, because they came too fast."""

    MESSAGES = 30
    RATE = "[websocket]\nmessage_rate = 5\nping_interval = 0\n"

    def stop_in_the_middle(self, path, send):
        with Weir(SERVER + self.RATE + ROUTES) as weir, RawClient(weir.port, upgrade=path) as client:
            messages = [b"message %d" % number for number in range(self.MESSAGES)]
            send(client, [frame(TEXT, message) for message in messages])
            until(lambda: self.has_arrived(client), "all messages have arrived")
            answers = [client.frame() for _ in range(5)]
            weir.process.send_signal(signal.SIGTERM)
            while (answer := client.frame()).opcode == TEXT:
                answers.append(answer)
            self.assertEqual(answer.close_code, 1001)
            client.send(close_frame(1001))
            weir.process.wait(PATIENCE)
            return messages, [answer.payload for answer in answers]

    @staticmethod
    def has_arrived(client):
        """Whether the server's machine has acknowledged all that was sent."""
        return fcntl.ioctl(client.socket, termios.TIOCOUTQ, bytes(4)) == bytes(4)

    def test_messages_held_back_in_one_piece_are_answered(self):
        messages, answers = self.stop_in_the_middle("/echo", lambda client, frames: client.send(b"".join(frames)))
        self.assertEqual(answers, messages)

    def test_messages_held_back_one_by_one_are_answered(self):
        messages, answers = self.stop_in_the_middle("/echo", lambda client, frames: [*map(client.send, frames)])
        self.assertEqual(answers, messages)

    def test_messages_held_back_for_a_blocking_handler_are_answered(self):
        messages, answers = self.stop_in_the_middle(
            "/light/on", lambda client, frames: client.send(b"".join(frames)))
        self.assertEqual(len(answers), len(messages))


class NoTime(AsyncTestCase):
    async def test_drain_timeout_of_zero_cuts_all_clients(self):
        """All clients are cut; the status is 0 all the same."""
        for clients in (0, 3):
            with Weir(SERVER + "drain_timeout = 0\n" + ROUTES) as weir:
                started = asyncio.Semaphore(0)
                tasks = [asyncio.create_task(idle(weir, "/echo", started)) for _ in range(clients)]
                for _ in tasks:
                    await started.acquire()
                weir.process.send_signal(signal.SIGTERM)
                for code in await asyncio.gather(*tasks):
                    self.assertIn(code, (1001, 1006))
                await asyncio.to_thread(weir.process.wait, PATIENCE)


class Outlasted(AsyncTestCase):
    async def test_handler_that_outlasts_drain_timeout_is_left_behind(self):
        drain_timeout = 1
        slow = ROUTES.replace("20ms", "60s")
        # The thread that is left behind is the subject of the test, not a leak.
        with Weir(SERVER + f"drain_timeout = {drain_timeout}s\n" + slow, "report_thread_leaks=0") as weir:
            stuck = await websockets.connect(weir.url("/light/on"))
            await stuck.send("lamp")
            await asyncio.sleep(0.3)  # the handler has begun
            other = asyncio.create_task(idle(weir, "/echo", started := asyncio.Semaphore(0)))
            await started.acquire()
            start = time.monotonic()
            weir.process.send_signal(signal.SIGTERM)
            self.assertEqual(await other, 1001)
            await asyncio.to_thread(weir.process.wait, PATIENCE)
            self.assertGreaterEqual(time.monotonic() - start, drain_timeout * 0.9)
            self.assertLess(time.monotonic() - start, drain_timeout + 15, "the handler blocks 60 s")
            weir.log_line("left_behind", "/light/{status}")
            weir.stop(status=None)
            await asyncio.wait_for(stuck.wait_closed(), PATIENCE)


if __name__ == "__main__":
    unittest.main()
