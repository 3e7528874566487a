"""test_channels_protocol - weir.v1 as docs/protocol.md describes it: each request, each error, presence, recovery. All
requests and answers are checked against docs/weir.v1.schema.json.

SPDX-License-Identifier: MIT
"""

import asyncio
import contextlib
import json
import os
import re
import tempfile
import unittest

import jsonschema
import websockets

from channel_peer import REQUEST, SCHEMA, Peer
from plugin_build import compile_plugin
from raw_client import BINARY, CLOSE, TEXT, RawClient, frame
from weir_process import PATIENCE, ROOT, AsyncTestCase, AsyncWeirTestCase, Weir, WeirTestCase

PAGE = (ROOT / "docs/protocol.md").read_text()
NAME = "the name of a channel has 1 to 255 letters, digits and characters of _-.:@/+~"

CONFIGURATION = """
[server]
listen = 127.0.0.1:PORT
[websocket]
send_buffer_soft = 64KiB
[channel_limits]
max_channels = 30
max_channels_per_connection = 8
[channel past:*]
history = 5
[channel long:*]
history = 1000
[channel here:*]
presence = yes
[channel loud:*]
presence = yes
announce = yes
publisher = yes
[channel full]
max_subscribers = 2
[channel mute]
publish = no
[channel closed]
subscribe = no
[route /channels]
handler = pubsub
subprotocols = weir.v1
[route /some]
handler = pubsub
allowed_channels = news, room:*
[route /listen]
handler = pubsub
publish = no
[route /room/{name}]
handler = relay
channel = room:{name}
[route /quiet/{name}]
handler = relay
channel = room:{name}
echo_self = no
[route /any/*]
handler = relay
channel = {*}
[route /radio/*]
handler = relay
channel = {*}
publish = no
"""


class Speaking(AsyncWeirTestCase):
    configuration = CONFIGURATION

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.sockets = contextlib.AsyncExitStack()
        self.addAsyncCleanup(self.sockets.aclose)

    async def peer(self, path="/channels"):
        return Peer(await self.sockets.enter_async_context(websockets.connect(self.weir.url(path))))

    def assert_error(self, answer, code, message, **members):
        self.assertEqual(answer, {"type": "error", "code": code, "message": message, **members})


class Requests(Speaking):
    async def test_subprotocol_weir_v1_is_selected(self):
        url = self.weir.url("/channels")
        async with websockets.connect(url, subprotocols=["weir.v2", "weir.v1"]) as socket:
            self.assertEqual(socket.subprotocol, "weir.v1")
            await Peer(socket).quiet()

    async def test_conversation_is_as_documented(self):
        ann, bob = await self.peer(), await self.peer()
        first = await ann.ask("subscribe", "news:de", id=1)
        epoch = first["epoch"]
        expected = {"type": "subscribed", "channel": "news:de", "offset": 0, "epoch": epoch}
        self.assertEqual(first, {**expected, "id": 1})
        self.assertEqual(await bob.ask("subscribe", "news:de"), expected)
        published = {"type": "published", "channel": "news:de", "offset": 1, "subscribers": 2, "id": "a7"}
        message = {"type": "message", "channel": "news:de", "offset": 1, "data": {"a": [1, None]}}
        got = [await ann.ask("publish", "news:de", data={"a": [1, None]}, id="a7"), await ann.next()]
        self.assertCountEqual([each.items() for each in got], [published.items(), message.items()])
        self.assertEqual(await bob.next(), message)
        unsubscribed = {"type": "unsubscribed", "channel": "news:de", "id": 2}
        self.assertEqual(await bob.ask("unsubscribe", "news:de", id=2), unsubscribed)
        await ann.say('{"type":"publish","channel":"news:de","data":2}')
        await ann.next(), await ann.next()
        await bob.quiet()
        late = await bob.ask("subscribe", "news:de")
        self.assertEqual((late["offset"], late["epoch"]), (2, epoch))
        self.assertEqual(await bob.ask("ping", id=3), {"type": "pong", "id": 3})

    async def test_publish_without_subscribers_is_answered(self):
        peer = await self.peer()
        answer = await peer.ask("publish", "nobody", data=1)
        self.assertEqual(answer, {"type": "published", "channel": "nobody", "offset": 0, "subscribers": 0})
        answer = await peer.ask("publish", "past:nobody", data=1)
        self.assertEqual(answer, {"type": "published", "channel": "past:nobody", "offset": 1, "subscribers": 0})

    async def test_ids_come_back_unchanged(self):
        peer = await self.peer()
        ids = ['""', '"a"', '"\\u00e9\\/\\n"', '"é"', '"' + "x" * 64 + '"', "0", "-0", "-17", "9" * 64]
        for text in ids:
            with self.subTest(id=text):
                await peer.say('{"id":%s,"type":"ping"}' % text)
                self.assertEqual(await peer.hear(), '{"type":"pong","id":%s}' % text)
                await peer.say('{"id": %s , "type":"pong"}' % text)
                self.assertTrue((await peer.hear()).endswith(',"id":%s}' % text))

    async def test_data_arrives_as_it_was_written(self):
        values = [
            "null", "true", '""', "-0.0", "1.50e+003", "123456789012345678901234567890", '"\\ud83d\\ude00 😀 \\/"',
            '"\\ud800"', '{ "b" : 1, "a":[ ] ,"b":2 }', "[" * 63 + "]" * 63, '"' + "x" * 100_000 + '"',
        ]
        sender, listener = await self.peer(), await self.peer()
        await listener.subscribe("raw")
        for offset, value in enumerate(values, 1):
            with self.subTest(value=value[:50]):
                await sender.say('{"type":"publish","channel":"raw","data": %s }' % value)
                self.assertEqual((await sender.next())["type"], "published")
                heard = await listener.hear()
                self.assertEqual(heard, '{"type":"message","channel":"raw","offset":%d,"data":%s}' % (offset, value))

    async def test_answers_keep_the_order(self):
        peer = await self.peer()
        for number in range(300):
            await peer.say(json.dumps({"type": "ping" if number % 3 else "publish", "id": number}))
        self.assertEqual([(await peer.next())["id"] for _ in range(300)], list(range(300)))

    async def test_text_and_bytes_of_a_relay_arrive_wrapped(self):
        listener, path = await self.peer(), (await self.peer("/room/1")).socket
        await listener.subscribe("room:1")
        begin = {"type": "message", "channel": "room:1"}
        await path.send('a "quoted"\n\u0001 text é')
        self.assertEqual(await listener.next(), {**begin, "offset": 1, "data": 'a "quoted"\n\u0001 text é'})
        for offset, (sent, base64) in enumerate([(b"", ""), (b"\x00", "AA=="), (b"\x00\x01\x02\xff", "AAEC/w==")], 2):
            await path.send(sent)
            self.assertEqual(await listener.next(), {**begin, "offset": offset, "base64": base64})
        await listener.say('{"type":"publish","channel":"room:1","data":{ "a":1.0}}')
        got = [await asyncio.wait_for(path.recv(), PATIENCE) for _ in range(5)]
        self.assertEqual(got[1:], [b"", b"\x00", b"\x00\x01\x02\xff", '{ "a":1.0}'])


# Text of a request, code, message (a regular expression), and the other members of the error.
WRONG = [
    ("", "invalid_json", "byte 0: expected a value, but there is none", {}),
    ("{", "invalid_json", "byte 1: expected the name of a member, in double quotes", {}),
    ('{"type":"ping",}', "invalid_json", "byte 15: expected the name of a member, in double quotes", {}),
    ('{"type" "ping"}', "invalid_json", "byte 8: expected ':' after a member name", {}),
    ("{'type':'ping'}", "invalid_json", "byte 1: expected .*", {}),
    ('{"type":"ping"} {}', "invalid_json", "byte 16: expected only spaces after the value", {}),
    ('{"type":NaN}', "invalid_json", "byte 8: expected a value", {}),
    ('{"type":"a\nb"}', "invalid_json", "byte 10: expected control characters .*", {}),
    ("\ufeff{}", "invalid_json", "byte 0: expected a value, not a byte order mark", {}),
    ('{"type":"publish","channel":"c","data":' + "[" * 10_000 + "]" * 10_000 + "}", "invalid_json",
     "byte 102: expected at most 64 arrays and objects within each other", {}),
    ("[" * 10_000, "invalid_json", "byte 64: expected at most 64 .*", {}),
    ("[]", "invalid_message", "a request must be an object", {}),
    ('"ping"', "invalid_message", "a request must be an object", {}),
    ("{}", "invalid_message", '"type" is missing', {}),
    ('{"type":null,"id":1}', "invalid_message", '"type" must be a string', {"id": 1}),
    ('{"type":"ping","type":"ping","id":1}', "invalid_message", '"type" is there twice', {"id": 1}),
    ('{"type":"ping","extra":1,"id":"x"}', "invalid_message", '"extra" is not a member of "ping"', {"id": "x"}),
    ('{"type":"ping","\\u0000\\"é\\"":1}', "invalid_message", r'"\\u0000\\"é\\"" is not a member of "ping"', {}),
    ('{"type":"ping","' + "é" * 500 + '":1}', "invalid_message", '"é{23}\\.\\.\\." is not a member of "ping"', {}),
    ('{"type":"unsubscribe","channel":"c","since":1}', "invalid_message", '"since" is not a member of "unsubscribe"',
     {"channel": "c"}),
    ('{"type":"publish","data":1}', "invalid_message", '"channel" is missing', {}),
    ('{"type":"publish","channel":"c"}', "invalid_message", '"data" is missing', {"channel": "c"}),
    ('{"type":"subscribe","channel":["c"]}', "invalid_message", '"channel" must be a string', {}),
    ('{"type":"subscribe","channel":"c","since":"1"}', "invalid_message",
     '"since" must be a whole number from 0 to 2\\^53', {"channel": "c"}),
    ('{"type":"subscribe","channel":"c","since":-1}', "invalid_message", '"since" must be .*', {"channel": "c"}),
    ('{"type":"subscribe","channel":"c","since":1e400}', "invalid_message", '"since" must be .*', {"channel": "c"}),
    ('{"type":"subscribe","channel":"c","since":1,"epoch":1}', "invalid_message",
     '"epoch" must be a string of 1 to 64 bytes', {"channel": "c"}),
    ('{"type":"subscribe","channel":"c","epoch":"1"}', "invalid_message", '"epoch" says nothing without "since"',
     {"channel": "c"}),
    *[('{"type":"subscribe","channel":"c","last":%s}' % last, "invalid_message",
       '"last" must be a whole number from 1 to 10000', {"channel": "c"}) for last in ("0", "10001", "-1", "1.5", "null")],
    ('{"type":"subscribe","channel":"c","presence":1}', "invalid_message", '"presence" must be true or false',
     {"channel": "c"}),
    ('{"type":"ping","id":1.5}', "invalid_message", '"id" must be an integer or a string, of 64 bytes at most', {}),
    ('{"type":"ping","id":{}}', "invalid_message", '"id" must be .*', {}),
    ('{"type":"ping","id":"%s"}' % ("x" * 65), "invalid_message", '"id" must be .*', {}),
    ('{"type":"subscribed","id":7,"channel":"c"}', "unknown_type",
     '"type" must be "subscribe", "unsubscribe", "publish", "presence" or "ping", not "subscribed"',
     {"id": 7, "channel": "c"}),
    ('{"type":"","id":"e"}', "unknown_type", '.*, not ""', {"id": "e"}),
    *[('{"type":"%s","channel":%s,"data":1}' % ("publish", json.dumps(name)), "invalid_channel", re.escape(NAME), {})
      for name in ("", "x" * 256, "x" * 300, *(f"a{byte}" for byte in "\0\n\x7f é*\"\\{}=,;!$#%&'()<>?[]^`|"))],
    ('{"type":"unsubscribe","channel":"c","id":8}', "not_subscribed", "this connection is not subscribed to it",
     {"channel": "c", "id": 8}),
    ('{"type":"subscribe","channel":"c","presence":true}', "presence_off",
     "this channel does not tell who is there", {"channel": "c"}),
    ('{"type":"presence","channel":"c"}', "presence_off", "this channel does not tell who is there",
     {"channel": "c"}),
    ('{"type":"presence","channel":"here:1"}', "not_subscribed", "only its subscribers are told who is there",
     {"channel": "here:1"}),
    ('{"type":"publish","channel":"mute","data":1}', "not_permitted", "clients may not publish to it",
     {"channel": "mute"}),
    ('{"type":"subscribe","channel":"closed"}', "not_permitted", "clients may not subscribe to it",
     {"channel": "closed"}),
]
RIGHT_FOR_A_SCHEMA = ("not_subscribed", "presence_off", "not_permitted")


class Errors(Speaking):
    async def test_wrong_requests_get_their_error(self):
        peer = await self.peer()
        for text, code, message, members in WRONG:
            with self.subTest(text=text[:100]):
                await peer.say(text)
                answer = await peer.next()
                self.assertRegex(answer.pop("message"), f"^{message}$")
                self.assertEqual(answer, {"type": "error", "code": code, **members})
        await peer.quiet()

    def test_schema_agrees_about_wrong_requests(self):
        for text, code, message, _ in WRONG:
            if code != "invalid_json" and "twice" not in message:
                with self.subTest(text=text[:100]):
                    self.assertEqual(REQUEST.is_valid(json.loads(text)), code in RIGHT_FOR_A_SCHEMA)

    async def test_binary_requests_are_refused(self):
        peer = await self.peer()
        for data in (b"", b'{"type":"ping","id":1}'):
            await peer.say(data)
            self.assert_error(await peer.next(), "binary", "a request must be a text message")
        await peer.quiet()

    async def test_second_subscribe_is_refused(self):
        peer = await self.peer()
        await peer.subscribe("c")
        answer = await peer.ask("subscribe", "c", since=0, id=1)
        message = "this connection is subscribed to it already"
        self.assert_error(answer, "already_subscribed", message, channel="c", id=1)
        await peer.ask("unsubscribe", "c")
        await peer.subscribe("c")

    async def test_channels_a_route_does_not_allow_are_refused(self):
        peer = await self.peer("/some")
        for channel in ("news", "room:", "room:7"):
            await peer.subscribe(channel)
        for channel in ("news:", "room", "other"):
            answer = await peer.ask("subscribe", channel)
            self.assert_error(answer, "not_permitted", "clients of this route may not subscribe to it", channel=channel)
            answer = await peer.ask("publish", channel, data=1)
            self.assert_error(answer, "not_permitted", "clients of this route may not publish to it", channel=channel)

    async def test_publish_is_refused_on_a_route_that_only_listens(self):
        peer = await self.peer("/listen")
        await peer.subscribe("c")
        answer = await peer.ask("publish", "c", data=1)
        self.assert_error(answer, "not_permitted", "clients of this route may not publish to it", channel="c")
        await (await self.peer()).publish("c", "heard")
        self.assertEqual(await peer.data(1), [(1, "heard")])

    async def test_publish_needs_no_permission_to_subscribe(self):
        peer = await self.peer()
        await peer.publish("closed", 1)

    async def test_subscriptions_of_a_connection_are_limited(self):
        peer = await self.peer()
        for number in range(8):
            await peer.subscribe(f"s:{number}")
        for _ in range(2):
            self.assert_error(await peer.ask("subscribe", "s:8"), "too_many_subscriptions",
                              "this connection has as many subscriptions as it may have", channel="s:8")
        await peer.ask("unsubscribe", "s:0")
        await peer.subscribe("s:8")

    async def test_subscribers_of_a_channel_are_limited(self):
        peers = [await self.peer() for _ in range(3)]
        await peers[0].subscribe("full")
        await peers[1].subscribe("full")
        self.assert_error(await peers[2].ask("subscribe", "full"), "too_many_subscribers",
                          "this channel has as many subscribers as it may have", channel="full")
        await peers[0].ask("unsubscribe", "full")
        await peers[2].subscribe("full")

    async def test_invalid_utf8_and_large_requests_end_the_connection(self):
        for payload, code in ((b"\xff", 1007), (b"x" * (1 << 20) + b"x", 1009)):
            with RawClient(self.weir.port, "/channels") as client:
                client.send_all_it_takes(frame(TEXT, payload))
                answer = client.frame()
                self.assertEqual((answer.opcode, answer.close_code), (CLOSE, code))


class TooManyChannels(Speaking):
    """With its own server, since the limit counts the channels of all tests."""

    async def test_channels_over_the_limit_are_refused(self):
        message = "the server has as many channels as it may have"
        peers = [await self.peer() for _ in range(4)]
        for number in range(30):
            await peers[number // 8].subscribe(f"many:{number}")
        for request, members in (("subscribe", {}), ("publish", {"data": 1})):
            answer = await peers[3].ask(request, "past:1", **members)
            self.assert_error(answer, "too_many_channels", message, channel="past:1")
        await peers[0].ask("unsubscribe", "many:0")
        await peers[3].subscribe("many:30")


class Presence(Speaking):
    async def test_presence_lists_subscribers_for_subscribers_only(self):
        ann, bob = await self.peer(), await self.peer()
        first = (await ann.subscribe("here:1", presence=True))["presence"]
        self.assertEqual((first["count"], len(first["clients"])), (1, 1))
        self.assertNotIn("presence", await bob.subscribe("here:1", presence=False))
        both = await ann.ask("presence", "here:1", id="p")
        self.assertEqual({key: both[key] for key in ("type", "channel", "count", "id")},
                         {"type": "presence", "channel": "here:1", "count": 2, "id": "p"})
        self.assertIn(first["clients"][0], both["clients"])
        self.assertEqual(len({client["connection"] for client in both["clients"]}), 2)
        await bob.ask("unsubscribe", "here:1")
        self.assertEqual((await ann.ask("presence", "here:1"))["clients"], first["clients"])
        message = "only its subscribers are told who is there"
        self.assert_error(await bob.ask("presence", "here:1"), "not_subscribed", message, channel="here:1")

    async def test_presence_list_is_bounded(self):
        peers = [await self.peer() for _ in range(103)]
        for peer in peers[:-1]:
            await peer.subscribe("here:many")
        answer = (await peers[-1].subscribe("here:many", presence=True))["presence"]
        self.assertEqual((answer["count"], len(answer["clients"])), (103, 100))
        answer = await peers[0].ask("presence", "here:many")
        self.assertEqual((answer["count"], len(answer["clients"])), (103, 100))

    async def test_join_and_leave_are_announced(self):
        ann, bob, path = await self.peer(), await self.peer(), await self.peer()
        me = (await ann.subscribe("loud:1", presence=True))["presence"]["clients"][0]
        clients = (await bob.subscribe("loud:1", presence=True))["presence"]["clients"]
        him = next(client for client in clients if client != me)
        self.assertEqual(await ann.next(), {"type": "join", "channel": "loud:1", "client": him})
        await bob.quiet()
        await path.publish("loud:1", 1)
        message = await ann.next()
        self.assertEqual(await bob.next(), message)
        self.assertNotIn(message["publisher"]["connection"], (me["connection"], him["connection"]))
        await bob.ask("unsubscribe", "loud:1")
        left = {"type": "leave", "channel": "loud:1", "client": him}
        self.assertEqual(await ann.next(), left)
        await bob.quiet()
        await bob.subscribe("loud:1")
        self.assertEqual((await ann.next())["type"], "join")
        await bob.socket.close()
        self.assertEqual((await ann.next())["type"], "leave")

    async def test_message_names_its_publisher(self):
        ann, bob = await self.peer(), await self.peer()
        me = (await ann.subscribe("loud:2", presence=True))["presence"]["clients"][0]
        await bob.subscribe("loud:2")
        await ann.next()
        await ann.say('{"type":"publish","channel":"loud:2","data":1}')
        self.assertEqual((await bob.next())["publisher"], {"connection": me["connection"]})


class Recovery(Speaking):
    async def left(self, channel, *values):
        """Publishes these to a channel with history. Returns a client that is not subscribed, and the epoch."""
        peer = await self.peer()
        await peer.publish(channel, *values)
        epoch = (await peer.subscribe(channel))["epoch"]
        await peer.ask("unsubscribe", channel)
        return peer, epoch

    async def test_recovery_delivers_missed_messages(self):
        sender, epoch = await self.left("past:1", 1, 2, 3, 4, 5, 6, 7)
        for since, members in ((2, {"epoch": epoch}), (2, {}), (6, {"epoch": epoch}), (7, {"epoch": epoch})):
            with self.subTest(since=since, **members):
                peer = await self.peer()
                answer = await peer.subscribe("past:1", since=since, id="r", **members)
                self.assertEqual(answer, {"type": "subscribed", "channel": "past:1", "offset": 7, "epoch": epoch,
                                          "recovered": True, "id": "r"})
                self.assertEqual(await peer.data(7 - since), [(number, number) for number in range(since + 1, 8)])
                await peer.quiet()
        await sender.publish("past:1", 8)
        self.assertEqual(await peer.data(1), [(8, 8)])

    async def test_recovery_is_refused_if_messages_are_gone(self):
        sender, epoch = await self.left("past:2", 1, 2, 3, 4, 5, 6, 7)
        cases = {
            "too old": {"since": 1, "epoch": epoch},
            "another epoch": {"since": 6, "epoch": "another"},
            "another epoch, nothing missed": {"since": 7, "epoch": epoch[::-1] + "0"},
            "never reached": {"since": 8, "epoch": epoch},
            "far beyond": {"since": 2**53},
        }
        peers = []
        for case, members in cases.items():
            with self.subTest(case):
                peers.append(await self.peer())
                answer = await peers[-1].subscribe("past:2", **members)
                self.assertEqual(answer, {"type": "subscribed", "channel": "past:2", "offset": 7, "epoch": epoch,
                                          "recovered": False})
                await peers[-1].quiet()
        await sender.publish("past:2", "new")
        for peer in peers:
            self.assertEqual(await peer.data(1), [(8, "new")])

    async def test_recovery_without_history_needs_the_current_offset(self):
        peer, other = await self.peer(), await self.peer()
        epoch = (await other.subscribe("forgets"))["epoch"]
        await peer.publish("forgets", 1)
        self.assertEqual((await peer.subscribe("forgets", since=0, epoch=epoch))["recovered"], False)
        await peer.ask("unsubscribe", "forgets")
        self.assertEqual((await peer.subscribe("forgets", since=1, epoch=epoch))["recovered"], True)
        await peer.quiet()

    async def test_recreated_channel_has_another_epoch(self):
        peer = await self.peer()
        first = await peer.subscribe("brief")
        await peer.ask("unsubscribe", "brief")
        again = await peer.subscribe("brief", since=0, epoch=first["epoch"])
        self.assertNotEqual(again["epoch"], first["epoch"])
        self.assertEqual((again["offset"], again["recovered"]), (0, False))

    async def test_recovery_beyond_send_buffer_soft_is_refused(self):
        sender, epoch = await self.left("long:1", *["x" * 10_000] * 10)
        peer = await self.peer()
        self.assertEqual((await peer.subscribe("long:1", since=0, epoch=epoch))["recovered"], False)
        await peer.ask("unsubscribe", "long:1")
        self.assertEqual((await peer.subscribe("long:1", since=6, epoch=epoch))["recovered"], True)
        self.assertEqual([offset for offset, _ in await peer.data(4)], [7, 8, 9, 10])
        await peer.quiet()

    async def test_last_delivers_the_latest_messages(self):
        sender, epoch = await self.left("past:3", *range(1, 8))
        for last, first in ((1, 7), (3, 5), (5, 3), (6, 3), (10000, 3)):
            with self.subTest(last=last):
                peer = await self.peer()
                answer = await peer.subscribe("past:3", last=last, id="l")
                self.assertEqual(answer, {"type": "subscribed", "channel": "past:3", "offset": 7, "epoch": epoch, "id": "l"})
                self.assertEqual(await peer.data(8 - first), [(number, number) for number in range(first, 8)])
                await peer.quiet()
        await sender.publish("past:3", 8)
        self.assertEqual(await peer.data(1), [(8, 8)])

    async def test_last_delivers_nothing_without_history(self):
        for channel in ("past:new", "forgets"):
            peer = await self.peer()
            self.assertEqual((await peer.subscribe(channel, last=5))["offset"], 0)
            await peer.quiet()

    async def test_last_replaces_a_refused_recovery(self):
        sender, epoch = await self.left("past:4", *range(1, 8))
        for since, members, recovered, first in (
            (2, {"epoch": epoch}, True, 3), (7, {"epoch": epoch}, True, 8), (1, {"epoch": epoch}, False, 4),
            (6, {"epoch": "another"}, False, 4), (9, {}, False, 4),
        ):  # fmt: skip
            with self.subTest(since=since, **members):
                peer = await self.peer()
                answer = await peer.subscribe("past:4", since=since, last=4, **members)
                self.assertEqual((answer["offset"], answer["recovered"]), (7, recovered))
                self.assertEqual([offset for offset, _ in await peer.data(8 - first)], list(range(first, 8)))
                await peer.quiet()

    async def test_last_delivers_no_more_than_send_buffer_soft(self):
        await self.left("long:3", *["x" * 10_000] * 10)
        peer = await self.peer()
        self.assertEqual((await peer.subscribe("long:3", last=10))["offset"], 10)
        self.assertEqual([offset for offset, _ in await peer.data(6)], [5, 6, 7, 8, 9, 10])
        await peer.quiet()
        await peer.ask("unsubscribe", "long:3")
        self.assertEqual((await peer.subscribe("long:3", last=10, since=2))["recovered"], False)
        self.assertEqual([offset for offset, _ in await peer.data(6)], [5, 6, 7, 8, 9, 10])
        await peer.quiet()

    async def test_recovery_during_publishes_misses_nothing(self):
        count, channel = 600, "long:2"
        sender, back = await self.peer(), await self.peer()
        answer = await back.subscribe(channel)
        position, seen, returns = {"since": 0, "epoch": answer["epoch"]}, [], 0
        publishing = asyncio.create_task(sender.publish(channel, *range(1, count + 1)))
        while len(seen) < count:
            message = await back.next()
            if message["type"] != "message":
                self.assertEqual(message["type"], "unsubscribed")
                answer = await back.subscribe(channel, **position)
                self.assertTrue(answer["recovered"])
                returns += 1
                continue
            seen.append((message["offset"], message["data"]))
            position["since"] = message["offset"]
            if len(seen) % 20 == 0:
                await back.say(json.dumps({"type": "unsubscribe", "channel": channel}))
        await publishing
        self.assertEqual(seen, [(number, number) for number in range(1, count + 1)])
        self.assertGreater(returns, 10)


class OwnHandler(AsyncTestCase):
    """weir_pubsub_message() and the hooks in a plug-in."""

    async def test_plugin_decides_users_and_permissions(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = compile_plugin("speaks_channels", directory)
            route = f"[route /as/{{user}}]\nhandler = plugin:{plugin}\n"
            connect = websockets.connect
            with Weir(CONFIGURATION + route) as weir:
                async with connect(weir.url("/as/ann")) as ann, connect(weir.url("/as/bob")) as bob:
                    await self.talk(Peer(ann), Peer(bob))

    async def talk(self, ann, bob):
        await ann.subscribe("loud:1")
        await bob.subscribe("loud:1")
        self.assertEqual((await ann.next())["client"]["user"], "bob")
        answer = await ann.ask("subscribe", "secret")
        self.assertEqual((answer["type"], answer["code"]), ("error", "not_permitted"))
        await bob.subscribe("own:ann")
        await ann.publish("own:ann", "mine")
        self.assertEqual(await bob.data(1), [(1, "mine")])
        answer = await bob.ask("publish", "own:ann", data="yours")
        self.assertEqual((answer["type"], answer["code"]), ("error", "not_permitted"))
        await bob.quiet()
        await ann.say('{"type":"publish","channel":"loud:1","data":"hi"}')
        self.assertEqual((await bob.next())["publisher"]["user"], "ann")
        await ann.say('{"type":"publish","channel":"loud:1","data":"leave"}')
        self.assertEqual(await bob.data(1), [(2, "leave")])
        self.assertEqual((await bob.next())["client"]["user"], "ann")
        await asyncio.wait_for(ann.socket.wait_closed(), PATIENCE)
        self.assertEqual(ann.socket.close_code, 4000)


class PathChannels(WeirTestCase):
    configuration = CONFIGURATION

    def test_echo_self_decides_whether_a_sender_hears_itself(self):
        with RawClient(self.weir.port, "/room/a") as loud, RawClient(self.weir.port, "/quiet/a") as quiet:
            quiet.send(frame(TEXT, b"from quiet"))
            self.assertEqual(loud.frame(), (TEXT, b"from quiet"))
            loud.send(frame(BINARY, b"\x00"))
            for client in (loud, quiet):
                self.assertEqual(client.frame(), (BINARY, b"\x00"))

    def test_message_to_a_receive_only_route_closes(self):
        with RawClient(self.weir.port, "/radio/room:r") as radio, RawClient(self.weir.port, "/room/r") as sender:
            sender.send(frame(TEXT, b"on air"))
            self.assertEqual(radio.frame(), (TEXT, b"on air"))
            radio.send(frame(TEXT, b"hello?"))
            self.assertEqual(radio.frame(), (CLOSE, b"\x03\xf0this channel is receive-only"))

    def test_message_to_a_channel_without_publish_closes(self):
        with RawClient(self.weir.port, "/any/mute") as first, RawClient(self.weir.port, "/any/mute") as second:
            first.send(frame(TEXT, b"hello?"))
            self.assertEqual(first.frame(), (CLOSE, b"\x03\xf0this channel is receive-only"))
            second.send(frame(BINARY, b"hello?"))
            self.assertEqual(second.frame().opcode, CLOSE)

    def test_path_that_names_no_channel_closes(self):
        for path in ("/room/a%20b", "/room/%C3%A9", "/room/*", "/room/" + "x" * 251, "/radio/", "/radio/a/%0a"):
            with self.subTest(path=path), RawClient(self.weir.port, path) as client:
                self.assertEqual(client.frame(), (CLOSE, b"\x03\xf0this path names no channel"))
        for path in ("/room/" + "x" * 250, "/radio/a/b", "/radio/a%2Fb"):
            with self.subTest(path=path), RawClient(self.weir.port, path) as client:
                client.send(frame(TEXT, b""))
                self.assertEqual(client.frame().opcode, TEXT if path.startswith("/room") else CLOSE)

    def test_subscriber_over_the_limit_is_closed_with_1013(self):
        with RawClient(self.weir.port, "/radio/full"), RawClient(self.weir.port, "/radio/full"):
            with RawClient(self.weir.port, "/radio/full") as third:
                self.assertEqual(third.frame(), (CLOSE, b"\x03\xf5the channel takes no more subscribers"))


class Cutter:
    """A TCP proxy in front of the server that can cut all its connections."""

    def __init__(self, port):
        self.port = port
        self.writers = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.connect, "127.0.0.1")
        self.url = f"ws://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/channels"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.cut()

    async def connect(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers += [writer, back]
        await asyncio.gather(self.copy(reader, back), self.copy(there, writer))

    async def copy(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()
        self.writers = []


class Documentation(Speaking):
    def test_examples_match_the_schema(self):
        lines = re.findall(r"(?m)^    (?:[<>] )?(\{.*\})$", PAGE)
        kinds = {json.loads(line)["type"] for line in lines}
        for line in lines:
            with self.subTest(line=line):
                jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(line))
        types = [definition.get("properties", {}).get("type") for definition in SCHEMA["$defs"].values()]
        self.assertEqual(kinds, {each["const"] for each in types if each})

    def test_error_codes_are_complete(self):
        codes = re.findall(r"(?m)^\| `(\w+)` \|", PAGE.split("## Errors")[1].split("## Recovery")[0])
        self.assertEqual(sorted(codes), sorted(SCHEMA["$defs"]["error"]["properties"]["code"]["enum"]))
        source = (ROOT / "server/channels/protocol.c").read_text() + (ROOT / "server/channels/request.c").read_text()
        for code in codes:
            self.assertIn(f'"{code}"', source)

    async def test_reserved_requests_are_refused_as_the_page_says(self):
        reserved = PAGE.split("## Reserved")[1].split("## Limits")[0]
        requests = [line for line in re.findall(r"(?m)^    (\{.*\})$", reserved)
                    if re.match(r'\{"type":"(authenticate|subscribe|publish)"', line)]
        self.assertGreaterEqual(len(requests), 5)
        peer = await self.peer()
        for line in requests:
            with self.subTest(line=line):
                self.assertFalse(REQUEST.is_valid(json.loads(line)))
                await peer.say(line)
                code = "unknown_type" if '"authenticate"' in line else "invalid_message"
                self.assertEqual((await peer.next())["code"], code)

    def test_schema_is_a_valid_json_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    async def follow(self, channel, cutter, wait_for):
        """The objects that a client of the page has received, with two cuts of its connection. wait_for(n) waits until
        it has received n objects."""
        sender = await self.peer()
        await wait_for(1)
        await sender.publish(channel, 1, 2)
        await wait_for(3)
        cutter.cut()
        await sender.publish(channel, 3, 4)
        await wait_for(6)
        await sender.publish(channel, 5)
        await wait_for(7)
        cutter.cut()
        await sender.publish(channel, *range(6, 12))
        return await wait_for(8)

    def check_followed(self, objects):
        story = [each.get("data", each.get("recovered")) for each in objects]
        self.assertEqual(story, [None, 1, 2, True, 3, 4, 5, False])
        self.assertEqual(objects[-1]["offset"], 11)

    async def test_python_client_of_the_page_follows_a_channel(self):
        names = {"__name__": "page"}
        (program,) = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)
        exec(program, names)
        objects = []

        async def wait_for(count):
            deadline = asyncio.get_running_loop().time() + PATIENCE
            while len(objects) < count:
                self.assertLess(asyncio.get_running_loop().time(), deadline, f"only {objects}")
                await asyncio.sleep(0.01)
            return objects

        async with Cutter(self.weir.port) as cutter:
            client = asyncio.create_task(names["follow"](cutter.url, "past:python", objects.append))
            self.check_followed(await self.follow("past:python", cutter, wait_for))
            client.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await client

    async def test_browser_client_of_the_page_follows_a_channel(self):
        (program,) = re.findall(r"(?ms)^```js\n(.*?)^```$", PAGE)
        objects = []
        async with Cutter(self.weir.port) as cutter:
            call = 'follow("ws://127.0.0.1:9000/channels", "news:de", console.log);\n'
            self.assertIn(call, program)
            mine = f'follow("{cutter.url}", "past:js", object => console.log(JSON.stringify(object)));\n'
            source = 'const WebSocket = require("ws");\n' + program.replace(call, mine)
            # A node that is not Debian's does not search the folder of Debian's packages.
            environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
            node = await asyncio.create_subprocess_exec(
                "node", "-", env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            node.stdin.write(source.encode())
            node.stdin.close()

            async def wait_for(count):
                while len(objects) < count:
                    line = await asyncio.wait_for(node.stdout.readline(), PATIENCE)
                    self.assertTrue(line, f"node has ended after {objects}")
                    objects.append(json.loads(line))
                return objects

            try:
                self.check_followed(await self.follow("past:js", cutter, wait_for))
            finally:
                node.kill()
                await node.communicate()


if __name__ == "__main__":
    unittest.main()
