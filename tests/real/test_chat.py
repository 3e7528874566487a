"""test_chat - the examples for channels. conf/chat.ini with examples/rooms.c: permissions; with the page
examples/chat.html in a real browser: two users talk, and reconnect after every kind of lost connection.
examples/clock.c: publications of a timer.

SPDX-License-Identifier: MIT
"""

import asyncio
import json
import signal
import tempfile
import time
import unittest
from pathlib import Path

import websockets
from admin_server import WithAdmin
from channel_peer import Peer
from chromium import Chromium, Folder, needs_chromium
from raw_client import RawClient, request, upgrade_headers
from shipped_config import changed
from weir_process import PATIENCE, ROOT, AsyncTestCase, until

KEPT, LATEST = 100, 50  # messages: the history of a room on the server, and how many of them a new page shows


def configuration():
    text = changed((ROOT / "conf/chat.ini").read_text(), r"\.\./build/examples/", "EXAMPLES/")
    text = changed(text, r"(?m)^listen = 127\.0\.0\.1:9000$", "listen = 127.0.0.1:PORT")
    return changed(text, r"(?m)^listen = 127\.0\.0\.1:9001$", "listen = 127.0.0.1:ADMIN")


class ChatServer(WithAdmin):
    def __init__(self):
        super().__init__(configuration())

    def start_again(self):
        """On the same ports, with an empty history."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0, self.log()
        self._start(configuration().replace("ADMIN", str(self.admin_port)))
        assert self._ready(), self.log()

    def say(self, channel, text):
        """Returns how many received it."""
        status, _, body = self.ask("POST", f"/api/channels/{channel}/messages", body=text)
        assert status in (201, 202), body
        return json.loads(body)["subscribers"]

    def subscribers(self, channel):
        status, _, body = self.ask("GET", f"/api/channels/{channel}")
        return json.loads(body)["subscribers"] if status == 200 else 0

    def cut(self):
        """Ends all connections."""
        for connection in json.loads(self.ask("GET", "/api/connections")[2])["connections"]:
            assert self.ask("DELETE", f"/api/connections/{connection['id']}")[0] in (200, 202, 404)


class Rooms(AsyncTestCase):
    async def test_rooms_permits_each_user_the_right_requests(self):
        with ChatServer() as weir:
            async with self.enter(weir, "ann") as ann, self.enter(weir, "bob") as bob:
                await self.try_all(weir, Peer(ann), Peer(bob))

    def enter(self, weir, name):
        return websockets.connect(weir.url(f"/chat?name={name}"), subprotocols=["weir.v1"])

    async def try_all(self, weir, ann, bob):
        for channel in ("room:1", "news:1", "user:ann"):
            await ann.subscribe(channel)
        for channel in ("room:1", "news:1"):
            await bob.subscribe(channel)
        self.assertEqual((await ann.next())["client"]["user"], "bob")
        for channel in ("user:ann", "user:", "user:bobby", "user:bo", "other", "room"):
            await self.refused(bob, "subscribe", channel)
        for channel in ("news:1", "news:2", "other", "*"):
            await self.refused(bob, "publish", channel, data=1)
        await bob.publish("user:ann", "for you alone")
        message = await ann.next()
        self.assertEqual((message["data"], message["publisher"]["user"]), ("for you alone", "bob"))
        self.assertEqual(weir.say("news:1", "rain"), 2)
        for peer in (ann, bob):
            self.assertEqual((await peer.next())["data"], "rain")

    async def refused(self, peer, kind, channel, **members):
        await peer.say(json.dumps({"type": kind, "channel": channel, **members}))
        answer = await peer.next()
        self.assertEqual(answer["code"], "invalid_channel" if channel == "*" else "not_permitted")

    def test_malformed_user_names_get_400(self):
        with ChatServer() as weir:
            for query, status in {
                "?name=ann": 101, "?x=1&name=A.n-n_0&y=2": 101, "?name=" + "x" * 32: 101, "?name=" + "x" * 33: 400,
                "": 400, "?name": 400, "?name=": 400, "?name=&name=ann": 400, "?xname=ann": 400, "?name=%61nn": 400,
                "?name=a+n": 400, "?name=ann;": 400,
            }.items():
                with self.subTest(query=query), RawClient(weir.port) as client:
                    client.send(request(f"/chat{query}", upgrade_headers()))
                    self.assertEqual(client.response().status, status)


class Clock(AsyncTestCase):
    def configuration(self, every):
        routes = "[route /channels]\nhandler = pubsub\n[route /clock]\nhandler = plugin:EXAMPLES/clock.so\n"
        return f"[server]\nlisten = 127.0.0.1:PORT\n[admin]\nlisten = 127.0.0.1:ADMIN\n{routes}every = {every}\n"

    async def test_clock_publishes_ticks(self):
        before = int(time.time())
        with WithAdmin(self.configuration("50ms")) as weir:
            async with websockets.connect(weir.url("/clock")) as raw, websockets.connect(weir.url("/channels")) as wrapped:
                peer = Peer(wrapped)
                await peer.subscribe("news:clock")
                offsets = []
                for _ in range(5):
                    seconds = json.loads(await asyncio.wait_for(raw.recv(), PATIENCE))["seconds"]
                    self.assertTrue(before <= seconds <= time.time())
                    message = await peer.next()
                    self.assertGreaterEqual(message["data"]["seconds"], before)
                    offsets.append(message["offset"])
                self.assertEqual(offsets, list(range(offsets[0], offsets[0] + 5)))

    async def test_reload_replaces_the_clock(self):
        with WithAdmin(self.configuration("1ms")) as weir:
            async with websockets.connect(weir.url("/channels")) as one, websockets.connect(weir.url("/channels")) as other:
                peer = Peer(one)
                for each in (peer, Peer(other)):  # the other one stays, and so do the channel and its offset
                    await each.subscribe("news:clock")
                for every in ("2ms", "1ms", "2ms"):
                    self.assertIn("done=yes", weir.reload(self.configuration(every)))
                    await peer.next()
                self.assertIn("done=yes", weir.reload(self.configuration("1h")))
                offset = await self.last(peer)
                self.assertGreaterEqual(offset, 3)
                await asyncio.sleep(0.2)
                self.assertEqual(await self.last(peer), offset)

    async def last(self, peer):
        """The channel's last offset."""
        await peer.say('{"type":"unsubscribe","channel":"news:clock"}')
        while (await peer.next())["type"] != "unsubscribed":
            pass
        return (await peer.subscribe("news:clock"))["offset"]


class Tab:
    """A tab with the page."""

    @classmethod
    async def enter(cls, browser, address, name, room="lobby"):
        tab = cls()
        tab.page = await browser.open(address)
        await tab.page.run(f"login.user.value = '{name}'; login.room.value = '{room}'; login.requestSubmit()")
        await tab.connected()
        return tab

    async def connected(self):
        await self.page.until("!talk.text.disabled")

    async def say(self, text):
        await self.page.run(f"talk.text.value = {json.dumps(text)}; talk.requestSubmit()")

    async def shown(self, count):
        """The shown lines, once there are `count` of them."""
        lines = "[...log.children].map(line => [line.firstChild.textContent, line.lastChild.textContent])"
        await self.page.until(f"log.children.length >= {count}")
        return [tuple(line) for line in await self.page.run(lines)]

    async def here(self, *names):
        await self.page.until(f"here.innerText == {json.dumps(chr(10).join(names))}")

    async def stay_away(self):
        """Stops the page from reconnecting."""
        await self.page.run("reallyConnect = connect; connect = () => {}")

    async def return_now(self):
        await self.page.run("connect = reallyConnect; connect()")
        await self.connected()


@needs_chromium
class Chat(AsyncTestCase):
    def setUp(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
        self.weir = self.enterContext(ChatServer())
        page = (ROOT / "examples/chat.html").read_text()
        (folder / "chat.html").write_text(changed(page, ":9000/chat", f":{self.weir.port}/chat"))
        self.folder = folder
        self.address = f"{self.enterContext(Folder(folder)).url}/chat.html"

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.browser = await self.enterAsyncContext(Chromium())

    async def enter(self, name, **options):
        return await Tab.enter(self.browser, self.address, name, **options)

    async def test_two_tabs_talk(self):
        ann = await self.enter("ann")
        await ann.here("ann")
        await ann.say("<b>hello</b> & \"so on\" 😀")
        first = ("ann", "<b>hello</b> & \"so on\" 😀")
        self.assertEqual(await ann.shown(1), [first])
        bob = await self.enter("bob")
        self.assertEqual(await bob.shown(1), [first])
        for tab in (ann, bob):
            await tab.here("ann", "bob")
        await bob.say("hi")
        self.weir.say("room:lobby", "from elsewhere")
        await ann.shown(3)
        for tab in (ann, bob):
            lines = await tab.shown(3)
            self.assertCountEqual(lines, [first, ("bob", "hi"), ("server", "from elsewhere")])
            self.assertEqual(lines, await ann.shown(3))
        await bob.page.call("Page.close")
        await ann.here("ann")

    async def test_rooms_are_separate_and_tabs_are_not(self):
        first, second = await self.enter("ann"), await self.enter("ann")
        other = await self.enter("bob", room="other")
        await first.here("ann")
        await other.say("nobody hears this")
        await other.shown(1)
        await second.say("here")
        self.assertEqual(await first.shown(1), [("ann", "here")])

    async def test_tab_reconnects_after_a_restart(self):
        ann, bob = await self.enter("ann"), await self.enter("bob")
        await ann.say("before")
        await bob.shown(1)
        self.weir.start_again()
        for tab in (ann, bob):
            await tab.shown(2)
            await tab.connected()
            await tab.here("ann", "bob")
        await bob.say("after")
        for tab in (ann, bob):
            lines = await tab.shown(3)
            self.assertEqual([lines[0], lines[2]], [("ann", "before"), ("bob", "after")])
            self.assertRegex("".join(lines[1]), "^Messages may be missing here")

    async def test_tab_gets_missed_messages(self):
        ann = await self.enter("ann")
        self.weir.say("room:lobby", "first")
        await ann.shown(1)
        await self.go_and_come_back(ann, 1, KEPT)
        self.assertEqual(await ann.shown(1 + KEPT), [("server", text) for text in ("first", *map(str, range(KEPT)))])

    async def test_tab_says_that_messages_may_be_missing(self):
        ann = await self.enter("ann")
        self.weir.say("room:lobby", "first")
        await ann.shown(1)
        await self.go_and_come_back(ann, 1, KEPT + 2)
        lines = await ann.shown(2 + LATEST)
        self.assertEqual(lines[0], ("server", "first"))
        self.assertRegex("".join(lines[1]), "^Messages may be missing here")
        latest = range(KEPT + 2 - LATEST, KEPT + 2)
        self.assertEqual(lines[2:], [("server", str(number)) for number in latest])
        self.weir.say("room:lobby", "last")
        self.assertEqual((await ann.shown(3 + LATEST))[-1], ("server", "last"))

    async def go_and_come_back(self, tab, before, count):
        await tab.stay_away()
        self.weir.cut()
        until(lambda: self.weir.subscribers("room:lobby") == 0, "nobody is there")
        for number in range(count):
            self.assertEqual(self.weir.say("room:lobby", str(number)), 0)
        self.assertEqual(len(await tab.shown(before)), before)
        await tab.return_now()

    async def test_new_tab_shows_the_latest_messages(self):
        for number in range(KEPT + 30):
            self.weir.say("room:lobby", str(number))
        ann = await self.enter("ann")
        latest = range(KEPT + 30 - LATEST, KEPT + 30)
        self.assertEqual(await ann.shown(LATEST), [("server", str(number)) for number in latest])

    async def test_unsent_text_stays_in_the_form(self):
        ann = await self.enter("ann")
        await ann.stay_away()
        await ann.page.run("talk.text.value = 'is this lost?'; socket.close(); talk.requestSubmit()")
        await ann.page.until("talk.text.disabled && talk.text.value == 'is this lost?'")

    async def test_tab_replaces_a_dead_connection(self):
        (self.folder / "fast.html").write_text(
            changed((self.folder / "chat.html").read_text(), "QUIET = 25000, PATIENCE = 10000", "QUIET = 200, PATIENCE = 500"))
        ann = await Tab.enter(self.browser, self.address.replace("chat.html", "fast.html"), "ann")
        await ann.page.run("first = socket")
        self.weir.process.send_signal(signal.SIGSTOP)
        try:
            await ann.page.until("talk.text.disabled")
        finally:
            self.weir.process.send_signal(signal.SIGCONT)
        await ann.connected()
        self.assertTrue(await ann.page.run("socket !== first"))

    async def test_chat_page_follows_the_colour_scheme(self):
        tab = await self.enter("ann")
        colours = []
        for scheme in ("light", "dark"):
            await tab.page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            element = "document.createElement('canvas').getContext('2d')"
            colours.append(await tab.page.run(f"c = {element}; c.fillStyle = getComputedStyle(talk.text).color; c.fillStyle"))
        self.assertLess(int(colours[0][1:], 16), int(colours[1][1:], 16))


if __name__ == "__main__":
    unittest.main()
