"""channel_peer - a client of weir.v1 that checks what it sends and receives against docs/weir.v1.schema.json.

SPDX-License-Identifier: MIT
"""

import asyncio
import json

import jsonschema

from weir_process import PATIENCE, ROOT

SCHEMA = json.loads((ROOT / "docs/weir.v1.schema.json").read_text())


def validator(name):
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


REQUEST, ANSWER = validator("request"), validator("answer")


class Peer:
    """A client of weir.v1."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, text):
        await self.socket.send(text)

    async def hear(self):
        """The next message of the server, as it came."""
        text = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        assert isinstance(text, str), text
        ANSWER.validate(json.loads(text))
        return text

    async def next(self):
        return json.loads(await self.hear())

    async def ask(self, kind, channel=None, **members):
        """Sends a right request; returns what comes next."""
        request = {"type": kind, **({} if channel is None else {"channel": channel}), **members}
        REQUEST.validate(request)
        await self.say(json.dumps(request))
        return await self.next()

    async def quiet(self):
        """Fails if there is anything before the answer to a ping."""
        answer = await self.ask("ping", id="quiet")
        assert answer == {"type": "pong", "id": "quiet"}, answer

    async def subscribe(self, channel, **members):
        answer = await self.ask("subscribe", channel, **members)
        assert answer["type"] == "subscribed", answer
        return answer

    async def publish(self, channel, *values):
        """Publishes to a channel that it is not subscribed to."""
        for value in values:
            answer = await self.ask("publish", channel, data=value)
            assert answer["type"] == "published", answer

    async def data(self, count):
        """The offset and data of so many messages."""
        messages = [await self.next() for _ in range(count)]
        return [(message["offset"], message["data"]) for message in messages]
