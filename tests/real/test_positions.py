"""test_positions - channels without subscribers: a client that comes back learns reliably what it missed, and no client
can fill the channel table for others.

SPDX-License-Identifier: MIT
"""

import json
import socket
import unittest

from admin_server import WithAdmin
from raw_client import TEXT, RawClient, frame, request
from weir_process import PATIENCE, until

CONFIGURATION = """
[server]
listen = 127.0.0.1:PORT
[admin]
listen = 127.0.0.1:ADMIN
[channel_limits]
max_channels = 100
max_channels_per_connection = 40
history_memory = 256KiB
[channel past:*]
history = 20
[channel brief:*]
history = 20
history_age = 1s
position_ttl = 1s
[route /channels]
handler = pubsub
"""


class Client(RawClient):
    """A client of weir.v1 that connects from a given loopback address."""

    def __init__(self, weir, address="127.0.0.1"):
        super().__init__(weir.port)
        self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", weir.port), PATIENCE, (address, 0))
        self.send(request("/channels"))
        assert self.response().status == 101

    def say(self, kind, channel, **members):
        self.send(frame(TEXT, json.dumps({"type": kind, "channel": channel, **members}).encode()))

    def next(self):
        return json.loads(self.frame().payload)

    def ask(self, kind, channel, **members):
        self.say(kind, channel, **members)
        return self.next()


class Positions(unittest.TestCase):
    def setUp(self):
        self.weir = self.enterContext(WithAdmin(CONFIGURATION))

    def client(self, address="127.0.0.1"):
        return self.enterContext(Client(self.weir, address))

    def publish(self, channel, count):
        publisher = self.client("127.0.0.9")
        for number in range(count):
            publisher.ask("publish", channel, data=number)

    def leave(self, client, channel):
        client.socket.close()
        until(lambda: self.weir.metrics()["weir_subscriptions"] == 0, f"nobody is subscribed to {channel}")

    def come_back(self, channel, told):
        client = self.client()
        answer = client.ask("subscribe", channel, since=told["offset"], epoch=told["epoch"])
        missed = [client.next()["data"] for _ in range(answer["offset"] - told["offset"])] if answer["recovered"] else None
        return answer, missed

    def test_subscriber_before_the_first_message_recovers_all(self):
        client = self.client()
        told = client.ask("subscribe", "past:a")
        self.assertEqual(told["offset"], 0)
        self.leave(client, "past:a")
        self.publish("past:a", 20)
        answer, missed = self.come_back("past:a", told)
        self.assertEqual((answer["recovered"], answer["epoch"], missed), (True, told["epoch"], list(range(20))))

    def test_one_message_beyond_the_history_is_not_recovered(self):
        client = self.client()
        told = client.ask("subscribe", "past:b")
        self.leave(client, "past:b")
        self.publish("past:b", 21)
        answer, _ = self.come_back("past:b", told)
        self.assertEqual((answer["recovered"], answer["epoch"]), (False, told["epoch"]))

    def test_position_expires(self):
        client = self.client()
        told = client.ask("subscribe", "brief:a")
        self.leave(client, "brief:a")
        until(lambda: self.weir.ask("GET", "/api/channels/brief:a")[0] == 404, "its position is forgotten")
        answer, _ = self.come_back("brief:a", told)
        self.assertFalse(answer["recovered"])
        self.assertNotEqual(answer["epoch"], told["epoch"])

    def test_one_client_does_not_fill_the_channel_table(self):
        quiet = self.client("127.0.0.2")
        quiet.ask("publish", "past:quiet", data="remember me")
        for connection in range(5):  # each has the same address
            greedy = self.client("127.0.0.3")
            for number in range(100):
                answer = greedy.ask("publish", f"past:greedy:{connection}:{number}", data="x")
                self.assertEqual(answer["type"], "published")
        metrics = self.weir.metrics()
        self.assertEqual((metrics["weir_channels"], metrics["weir_channels_idle"]), (41, 41))
        self.assertEqual(metrics['weir_channels_evicted_total{reason="client"}'], 460)
        for number in range(40):
            self.assertEqual(quiet.ask("subscribe", f"new:{number}")["type"], "subscribed")
        self.assertEqual(self.weir.ask("GET", "/api/channels/past:quiet")[0], 200)

    def test_one_client_does_not_displace_the_history_of_others(self):
        quiet = self.client("127.0.0.2")
        quiet.ask("publish", "past:quiet", data="remember me")
        for connection in range(3):
            greedy = self.client("127.0.0.3")
            for number in range(100):
                greedy.ask("publish", f"past:loud:{number % 7}", data="x" * 10000)
        self.assertGreater(self.weir.metrics()["weir_history_evicted_total"], 0)
        _, _, text = self.weir.ask("GET", "/api/channels/past:quiet/messages")
        self.assertEqual([message["data"] for message in json.loads(text)["messages"]], ["remember me"])

    def test_idle_channels_make_room_in_a_full_table(self):
        for address in ("127.0.0.4", "127.0.0.5", "127.0.0.6"):
            client = self.client(address)
            for number in range(40):
                client.ask("publish", f"past:{address}:{number}", data="x")
        self.assertEqual(self.weir.metrics()["weir_channels"], 100)
        newcomer = self.client("127.0.0.7")
        self.assertEqual(newcomer.ask("subscribe", "new:1")["type"], "subscribed")
        self.assertEqual(newcomer.ask("publish", "past:new", data="x")["offset"], 1)
        metrics = self.weir.metrics()
        self.assertEqual((metrics["weir_channels"], metrics["weir_channels_idle"]), (100, 99))
        self.assertEqual(self.weir.ask("GET", "/api/channels/past:127.0.0.6:39")[0], 200)


if __name__ == "__main__":
    unittest.main()
