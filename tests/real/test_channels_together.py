"""test_channels_together - one channel with clients of every kind: Python, node and a browser on a relay route and over
weir.v1, curl over HTTP, and C. Each publication reaches each client once, in one order and in the documented form.

Without chromium (see chromium.py) the test with a browser is skipped.

SPDX-License-Identifier: MIT
"""

import asyncio
import base64
import collections
import contextlib
import json
import os
import tempfile
import unittest
from pathlib import Path

import websockets
from admin_server import WithAdmin
from chromium import Chromium, needs_chromium
from plugin_build import compile_plugin
from weir_process import PATIENCE, AsyncTestCase, scaled

HERE = Path(__file__).parent
CHANNEL = "room:all"
ROUNDS = scaled(20, least=3)
CONFIGURATION = """
[server]
listen = 127.0.0.1:PORT
[admin]
listen = 127.0.0.1:ADMIN
[channel room:*]
history = 10000
[route /room/{name}]
handler = relay
channel = room:{name}
[route /channels]
handler = pubsub
subprotocols = weir.v1
[route /c/{what}]
handler = plugin:%s
"""


class Publication:
    """One message, and the forms in which it is sent and arrives."""

    def __init__(self, publisher, kind, number):
        self.publisher, self.number = publisher, number
        text = f'{publisher} {kind} {number} "é" 😀\\'
        if kind == "binary":
            self.sent = text.encode() + b"\0\xff"
            self.member = '"base64":"%s"' % base64.b64encode(self.sent).decode()
        elif kind == "text":
            self.sent = text
            self.member = '"data":' + json.dumps(text, ensure_ascii=False)
        else:
            self.sent = '{ "from":%s, "number" : %d.50, "number":[] }' % (json.dumps(text), number)
            self.member = '"data":' + self.sent

    @property
    def request(self):
        return '{"type":"publish","channel":"%s",%s}' % (CHANNEL, self.member)

    def wrapped(self, offset):
        return '{"type":"message","channel":"%s","offset":%d,%s}' % (CHANNEL, offset, self.member)


def publications(publisher, *kinds):
    return [Publication(publisher, kind, number) for number in range(ROUNDS) for kind in kinds]


def as_json(messages):
    return [{"text": each} if isinstance(each, str) else {"base64": base64.b64encode(each).decode()} for each in messages]


def from_json(messages):
    return [each["text"] if "text" in each else base64.b64decode(each["base64"]) for each in messages]


class Client:
    """One subscriber that may also publish: what it sends, and what it has received when it is closed."""

    def __init__(self, name, weir, path, *kinds):
        self.name, self.url, self.wrapped = name, weir.url(path), path == "/channels"
        self.published = publications(name, *kinds)
        self.says = [each.request if self.wrapped else each.sent for each in self.published]
        self.protocols = ["weir.v1"] if self.wrapped else []
        self.first = '{"type":"subscribe","channel":"%s"}' % CHANNEL if self.wrapped else None
        self.code, self.heard = None, []

    @property
    def settings(self):
        return {"url": self.url, "protocols": self.protocols, "first": self.first, "says": as_json(self.says)}

    def done(self, result):
        self.code, self.heard = result["code"], from_json(result["heard"])


class InPython:
    def __init__(self, clients):
        self.clients, self.sockets = clients, []

    async def connect(self):
        for client in self.clients:
            self.sockets.append(socket := await websockets.connect(client.url, subprotocols=client.protocols or None))
            if client.first:
                await socket.send(client.first)
                client.heard.append(await asyncio.wait_for(socket.recv(), PATIENCE))
        self.listening = [asyncio.create_task(self.listen(*each)) for each in zip(self.clients, self.sockets)]

    async def listen(self, client, socket):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                client.heard.append(await socket.recv())
        client.code = socket.close_code

    async def speak(self):
        for client, socket in zip(self.clients, self.sockets):
            for message in client.says:
                await socket.send(message)

    async def closed(self):
        await asyncio.wait_for(asyncio.gather(*self.listening), PATIENCE)


class InNode:
    def __init__(self, clients):
        self.clients = clients

    async def connect(self):
        # A node that is not Debian's does not search the folder of Debian's packages.
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        self.process = await asyncio.create_subprocess_exec(
            "node", HERE / "channel_peer.cjs", env=environment, limit=1 << 30,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        await self.tell(json.dumps([client.settings for client in self.clients]))
        assert await self.line() == b"ready\n"

    async def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def line(self):
        return await asyncio.wait_for(self.process.stdout.readline(), 2 * PATIENCE)

    async def speak(self):
        await self.tell("speak")

    async def closed(self):
        for client, result in zip(self.clients, json.loads(await self.line())):
            client.done(result)
        await self.process.wait()


class InABrowser:
    def __init__(self, clients, browser, address):
        self.clients, self.browser, self.address = clients, browser, address

    async def connect(self):
        self.page = await self.browser.open(self.address)
        await self.page.run((HERE / "channel_peer.cjs").read_text())
        await self.page.run(f"Peer.all({json.dumps([client.settings for client in self.clients])})")

    async def speak(self):
        await self.page.run("Peer.speakAll()")

    async def closed(self):
        for client, result in zip(self.clients, await self.page.run("Peer.allClosed()")):
            client.done(result)


class Curl:
    """Publishes and reads over HTTP."""

    TYPES = {"text": "text/plain", "json": "application/json", "binary": "application/octet-stream"}

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/api/channels/{CHANNEL}"
        self.published = publications("curl", *self.TYPES)

    async def run(self, *arguments, body=b""):
        curl = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--show-error", "--fail", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        output, _ = await asyncio.wait_for(curl.communicate(body), PATIENCE)
        assert curl.returncode == 0, (arguments, output)
        return json.loads(output)

    async def speak(self):
        """Returns the answer."""
        answers = []
        for number, publication in enumerate(self.published):
            kind = list(self.TYPES)[number % len(self.TYPES)]
            body = publication.sent.encode() if isinstance(publication.sent, str) else publication.sent
            arguments = ("--header", f"Content-Type: {self.TYPES[kind]}", "--data-binary", "@-")
            answers.append(await self.run(*arguments, f"{self.url}/messages", body=body))
        return answers

    async def history(self):
        messages, more = [], True
        while more:
            since = messages[-1]["offset"] if messages else 0
            answer = await self.run(f"{self.url}/messages?since={since}&limit=100")
            assert answer["complete"], answer
            messages += answer["messages"]
            more = answer["more"]
        return messages

    async def offset(self):
        return (await self.run(self.url))["offset"]

    async def close(self):
        return (await self.run("--request", "DELETE", self.url))["closed"]


class Together(AsyncTestCase):
    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def serve(self):
        plugin = compile_plugin("channels_from_c", self.enter(tempfile.TemporaryDirectory(prefix="weir-test-")))
        return self.enter(WithAdmin(CONFIGURATION % plugin))

    def pair(self, weir, where):
        """One client on a relay route and one that speaks weir.v1."""
        return [Client(f"{where} path", weir, "/room/all", "text", "binary"), Client(f"{where} v1", weir, "/channels", "json")]

    async def talk(self, weir, *groups):
        self.groups = [
            *groups,
            InPython(self.pair(weir, "python")),
            InNode(self.pair(weir, "node")),
            InPython([Client("c", weir, "/c/hear")]),
        ]
        # They receive nothing, but cause publications from C.
        voices = InPython([Client("c", weir, "/c/say", "text", "binary"), Client("c json", weir, "/c/json", "json")])
        self.curl = Curl(weir.admin_port)
        for group in (*self.groups, voices):
            await group.connect()
        *_, self.answers = await asyncio.gather(*(group.speak() for group in (*self.groups, voices)), self.curl.speak())
        self.clients = [client for group in self.groups for client in group.clients]
        publishers = [*self.clients, *voices.clients, self.curl]
        self.published = [publication for each in publishers for publication in each.published]
        await self.until_all_is_said()
        self.history = await self.curl.history()
        self.assertEqual(await self.curl.close(), len(self.clients))
        for group in self.groups:
            await group.closed()
        for socket in voices.sockets:
            await socket.close()
        self.look()

    async def until_all_is_said(self):
        deadline = asyncio.get_running_loop().time() + 2 * PATIENCE
        while (offset := await self.curl.offset()) < len(self.published):
            self.assertLess(asyncio.get_running_loop().time(), deadline, f"{offset} of {len(self.published)}")
            await asyncio.sleep(0.05)

    def look(self):
        self.order = self.order_of_history()
        self.assertEqual(len(self.order), len(self.published))
        numbers = collections.defaultdict(list)
        for publication in self.order:
            numbers[publication.publisher].append(self.published.index(publication))
        for publisher, seen in numbers.items():
            self.assertEqual(seen, sorted(seen), f"what {publisher} has said is out of order")
        wrapped = [publication.wrapped(offset) for offset, publication in enumerate(self.order, 1)]
        for client in self.clients:
            with self.subTest(client.name):
                self.assertEqual(client.code, 1001)
                if client.wrapped:
                    self.look_at_wrapped(client, wrapped)
                else:
                    self.assertEqual(client.heard, [publication.sent for publication in self.order])
        mine = [offset for offset, each in enumerate(self.order, 1) if each.publisher == "curl"]
        self.assertEqual(self.answers, [{"offset": offset, "subscribers": len(self.clients)} for offset in mine])

    def order_of_history(self):
        """The publications in the order of the channel; each must occur once."""
        left = {json.dumps(json.loads(each.wrapped(0))): each for each in self.published}
        self.assertEqual(len(left), len(self.published))
        self.assertEqual([message["offset"] for message in self.history], list(range(1, len(self.published) + 1)))
        return [left.pop(json.dumps({**message, "offset": 0})) for message in self.history]

    def look_at_wrapped(self, client, wrapped):
        answers = [json.loads(text) for text in client.heard if '"type":"message"' not in text]
        self.assertEqual([text for text in client.heard if '"type":"message"' in text], wrapped)
        self.assertEqual((answers[0]["type"], answers[0]["offset"]), ("subscribed", 0))
        mine = [offset for offset, each in enumerate(self.order, 1) if each.publisher == client.name]
        members = {"type": "published", "channel": CHANNEL, "subscribers": len(self.clients)}
        self.assertEqual(answers[1:], [{**members, "offset": offset} for offset in mine])

    async def test_python_node_curl_and_c_share_a_channel(self):
        await self.talk(self.serve())

    @needs_chromium
    async def test_browser_shares_the_channel(self):
        weir = self.serve()
        async with Chromium() as browser:
            # A page from the server itself is of the same origin.
            address = weir.url("/healthz").replace("ws:", "http:")
            await self.talk(weir, InABrowser(self.pair(weir, "browser"), browser, address))


if __name__ == "__main__":
    unittest.main()
