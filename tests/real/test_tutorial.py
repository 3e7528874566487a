"""test_tutorial - the four servers of conf/tutorial.ini and those of conf/weir.ini, with programs for Debian's
python3-websockets as a new user would write them.

SPDX-License-Identifier: MIT
"""

import asyncio
import json
import struct
import time
import unittest

import websockets

from shipped_config import LIGHT_DELAY, default, tutorial
from weir_process import PATIENCE, AsyncWeirTestCase, scaled

LIMIT = 600  # seconds for a whole crowd


class Echo(AsyncWeirTestCase):
    configuration = tutorial()

    async def test_text_and_binary_are_echoed(self):
        async with websockets.connect(self.weir.url("/")) as websocket:
            for message in ("Hello world!", "Grüße, 世界 🌍", "", b"\x00\xff", b"", "x" * 70_000, b"y" * 1_000_000):
                await websocket.send(message)
                self.assertEqual(await websocket.recv(), message)

    async def test_many_clients_in_sequence_are_echoed(self):
        for number in range(scaled(200)):
            async with websockets.connect(self.weir.url("/")) as websocket:
                await websocket.send(f"hello {number}")
                self.assertEqual(await websocket.recv(), f"hello {number}")

    async def test_close_codes_are_answered(self):
        for code, reason in ((1000, ""), (1001, "tab closed"), (3000, "library"), (4999, "Ende gut ✓")):
            with self.subTest(code=code):
                websocket = await websockets.connect(self.weir.url("/"))
                await websocket.close(code, reason)
                self.assertEqual(websocket.close_code, code)

    async def test_ping_is_answered(self):
        async with websockets.connect(self.weir.url("/")) as websocket:
            pong = await websocket.ping()
            await asyncio.wait_for(pong, PATIENCE)


class Light(AsyncWeirTestCase):
    configuration = tutorial()

    async def switch(self, status):
        async with websockets.connect(self.weir.url(f"/light/{status}")) as websocket:
            await websocket.send("192.168.1.20")
            return await websocket.recv()

    async def test_light_turns_on_and_off(self):
        self.assertEqual(await self.switch("on"), "the light has turned on")
        self.assertEqual(await self.switch("off"), "the light has turned off")

    async def test_light_refuses_an_invalid_status(self):
        self.assertEqual(await self.switch("1"), "invalid params")

    async def test_light_answers_after_its_delay(self):
        start = time.monotonic()
        await self.switch("on")
        self.assertGreaterEqual(time.monotonic() - start, LIGHT_DELAY)

    async def test_messages_of_one_client_are_handled_in_sequence(self):
        async with websockets.connect(self.weir.url("/light/on")) as websocket:
            start = time.monotonic()
            for _ in range(3):
                await websocket.send("192.168.1.20")
            for _ in range(3):
                self.assertEqual(await websocket.recv(), "the light has turned on")
            self.assertGreaterEqual(time.monotonic() - start, 3 * LIGHT_DELAY)

    async def test_unknown_paths_are_closed_with_4040(self):
        for path in ("/switch/on", "/light", "/light/on/now", "/light/"):
            with self.subTest(path=path):
                websocket = await websockets.connect(self.weir.url(path))
                with self.assertRaises(websockets.ConnectionClosedError):
                    await asyncio.wait_for(websocket.recv(), PATIENCE)
                self.assertEqual(websocket.close_code, 4040)
                self.assertEqual(websocket.close_reason, f"no route for {path}")


class Distribute(AsyncWeirTestCase):
    configuration = tutorial()

    async def test_consumer_and_producer_get_each_message(self):
        async with websockets.connect(self.weir.url("/distribute")) as consumer:
            async with websockets.connect(self.weir.url("/distribute")) as producer:
                for message in ("news", b"\x01\x02"):
                    await producer.send(message)
                    self.assertEqual(await asyncio.wait_for(consumer.recv(), PATIENCE), message)
                    self.assertEqual(await asyncio.wait_for(producer.recv(), PATIENCE), message)

    async def test_clients_that_left_do_not_disturb_the_distributor(self):
        async with websockets.connect(self.weir.url("/distribute")) as stays:
            for _ in range(20):
                leaves = await websockets.connect(self.weir.url("/distribute"))
                await leaves.close()
            await stays.send("still here")
            self.assertEqual(await asyncio.wait_for(stays.recv(), PATIENCE), "still here")

    async def test_hundred_consumers_get_all_messages_in_order(self):
        consumers, producers, count = scaled(100, least=5), 3, scaled(1000, least=50)

        async def consume(connected):
            """Returns the messages of each producer, in the order in which they came."""
            received = {number: [] for number in range(producers)}
            async with websockets.connect(self.weir.url("/distribute")) as websocket:
                connected.release()
                for _ in range(producers * count):
                    producer, number = (await websocket.recv()).split(":")
                    received[int(producer)].append(int(number))
            return received

        async def produce(producer):
            async with websockets.connect(self.weir.url("/distribute")) as websocket:

                async def send():
                    for number in range(count):
                        await websocket.send(f"{producer}:{number}")

                async def until_own_last():
                    async for message in websocket:
                        if message == f"{producer}:{count - 1}":
                            return

                await asyncio.gather(send(), until_own_last())

        async def everybody():
            connected = asyncio.Semaphore(0)
            consuming = [asyncio.create_task(consume(connected)) for _ in range(consumers)]
            for _ in range(consumers):
                await connected.acquire()
            await asyncio.gather(*(produce(number) for number in range(producers)))
            return await asyncio.gather(*consuming)

        in_order = {producer: list(range(count)) for producer in range(producers)}
        for received in await asyncio.wait_for(everybody(), LIMIT):
            self.assertEqual(received, in_order)


FREE, SET_SERVICE = 0, 2
LOGIN = json.dumps({"role": "admin", "user_id": "test1234"})


def set_service(names):
    return struct.pack("<i", SET_SERVICE) + json.dumps(names).encode()


def free(number):
    return struct.pack("<ib", FREE, number)


def parse(reply):
    """The status and the JSON, None if there is none."""
    assert isinstance(reply, bytes), f"not a binary message: {reply}"
    (status,) = struct.unpack("<i", reply[:4])
    return status, json.loads(reply[4:]) if reply[4:] else None


class Command(AsyncWeirTestCase):
    configuration = tutorial()

    async def ask(self, websocket, message):
        await websocket.send(message)
        return parse(await asyncio.wait_for(websocket.recv(), PATIENCE))

    def assertIsError(self, answer):
        status, body = answer
        self.assertLess(status, 0)
        self.assertTrue(body["error"])

    async def test_command_session_answers_and_closes(self):
        """Sends and receives at the same time, then leaves with a reason."""
        rounds = scaled(500, least=20)
        async with websockets.connect(self.weir.url("/command")) as websocket:
            await websocket.send(LOGIN)

            async def send():
                for number in range(rounds):
                    await websocket.send(set_service(["lamp", f"service {number}"]))
                    await websocket.send(free(-1))

            async def receive():
                for number in range(rounds):
                    self.assertEqual(parse(await websocket.recv()), (SET_SERVICE, ["lamp", f"service {number}"]))
                    self.assertEqual(parse(await websocket.recv()), (FREE, None))

            await asyncio.wait_for(asyncio.gather(send(), receive()), LIMIT)
            await websocket.close(reason="user quit")
        self.assertEqual(websocket.close_code, 1000)
        self.weir.log_line("close", 'reason="user quit"', "1000")

    async def test_command_before_login_closes_with_1008(self):
        websocket = await websockets.connect(self.weir.url("/command"))
        await websocket.send(set_service(["lamp"]))
        with self.assertRaises(websockets.ConnectionClosedError):
            await asyncio.wait_for(websocket.recv(), PATIENCE)
        self.assertEqual(websocket.close_code, 1008)

    async def test_state_belongs_to_one_connection(self):
        async with websockets.connect(self.weir.url("/command")) as one:
            await one.send(LOGIN)
            self.assertEqual(await self.ask(one, set_service(["lamp"])), (SET_SERVICE, ["lamp"]))
            other = await websockets.connect(self.weir.url("/command"))
            await other.send(free(0))
            with self.assertRaises(websockets.ConnectionClosedError):
                await asyncio.wait_for(other.recv(), PATIENCE)
            self.assertEqual(other.close_code, 1008)
            self.assertEqual(await self.ask(one, set_service([])), (SET_SERVICE, []))

    async def test_malformed_logins_are_answered_with_an_error(self):
        async with websockets.connect(self.weir.url("/command")) as websocket:
            for login in ('{"role":', "", "[]", '{"role": "admin"}', '{"role": 1, "user_id": "x"}', "[" * 5000):
                with self.subTest(login=login[:40]):
                    status, body = await self.ask(websocket, login)
                    self.assertEqual(status, -1)
                    self.assertTrue(body["error"])

    async def test_malformed_json_is_answered_with_an_error(self):
        async with websockets.connect(self.weir.url("/command")) as websocket:
            await websocket.send(LOGIN)
            for payload in (b'["lamp"', b"", b"{}", b"[1]", b'["lamp"] x', b"[" * 5000):
                with self.subTest(payload=payload[:40]):
                    status, body = await self.ask(websocket, struct.pack("<i", SET_SERVICE) + payload)
                    self.assertEqual(status, -1)
                    self.assertTrue(body["error"])
            self.assertEqual(await self.ask(websocket, set_service(["lamp"])), (SET_SERVICE, ["lamp"]))

    async def test_json_that_is_not_utf8_closes_with_1007(self):
        websocket = await websockets.connect(self.weir.url("/command"))
        await websocket.send(LOGIN)
        await websocket.send(struct.pack("<i", SET_SERVICE) + b'["\xff"]')
        with self.assertRaises(websockets.ConnectionClosedError):
            await asyncio.wait_for(websocket.recv(), PATIENCE)
        self.assertEqual(websocket.close_code, 1007)

    async def test_wrong_sizes_and_ids_are_answered_with_an_error(self):
        async with websockets.connect(self.weir.url("/command")) as websocket:
            await websocket.send(LOGIN)
            for command in (b"", b"\x02", b"\x02\x00\x00", struct.pack("<i", FREE), struct.pack("<ih", FREE, 0),
                            struct.pack("<i", 1), struct.pack("<i", -1), struct.pack(">i", SET_SERVICE)):
                with self.subTest(command=command):
                    self.assertIsError(await self.ask(websocket, command))


class Default(AsyncWeirTestCase):
    configuration = default()

    async def test_default_echo_route_echoes(self):
        async with websockets.connect(self.weir.url("/echo")) as websocket:
            for message in ("Hello world!", b"\x00\xff"):
                await websocket.send(message)
                self.assertEqual(await websocket.recv(), message)

    async def test_default_broadcast_route_reaches_all(self):
        clients = [await websockets.connect(self.weir.url("/broadcast")) for _ in range(5)]
        for sender in clients:
            await sender.send(f"from {sender.local_address[1]}")
            for receiver in clients:
                message = await asyncio.wait_for(receiver.recv(), PATIENCE)
                self.assertEqual(message, f"from {sender.local_address[1]}")
        for client in clients:
            await client.close()

    async def test_default_channel_routes_share_messages(self):
        connect = websockets.connect
        async with connect(self.weir.url("/room/x")) as one, connect(self.weir.url("/room/x")) as other:
            async with connect(self.weir.url("/room/y")) as elsewhere:
                async with connect(self.weir.url("/channels"), subprotocols=["weir.v1"]) as listener:
                    self.assertEqual(listener.subprotocol, "weir.v1")
                    await listener.send('{"type":"subscribe","channel":"room:x"}')
                    self.assertEqual(json.loads(await listener.recv())["type"], "subscribed")
                    await one.send("hello")
                    for client in (one, other):
                        self.assertEqual(await asyncio.wait_for(client.recv(), PATIENCE), "hello")
                    self.assertEqual(json.loads(await listener.recv())["data"], "hello")
                    await listener.send('{"type":"publish","channel":"room:y","data":7}')
                    self.assertEqual(await asyncio.wait_for(elsewhere.recv(), PATIENCE), "7")


class EchoSelf(AsyncWeirTestCase):
    configuration = """
        [server]
        listen = 127.0.0.1:PORT
        [route /broadcast]
        handler = broadcast
        echo_self = no
        """.replace(" " * 8, "")

    async def test_broadcast_without_echo_self_skips_the_sender(self):
        async with websockets.connect(self.weir.url("/broadcast")) as one:
            async with websockets.connect(self.weir.url("/broadcast")) as other:
                await one.send("first")
                self.assertEqual(await asyncio.wait_for(other.recv(), PATIENCE), "first")
                await other.send("second")
                self.assertEqual(await asyncio.wait_for(one.recv(), PATIENCE), "second")


if __name__ == "__main__":
    unittest.main()
