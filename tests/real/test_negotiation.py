"""test_negotiation - subprotocols and allowed origins in the opening handshake.

SPDX-License-Identifier: MIT
"""

import unittest

import websockets

from python_websockets import InvalidStatus, refusal
from raw_client import fetch, request, upgrade_headers
from weir_process import AsyncWeirTestCase


class Negotiation(AsyncWeirTestCase):
    configuration = """[server]
listen = 127.0.0.1:PORT
[websocket]
origins = same-host, https://*.example.com
[route /echo]
handler = echo
[route /chat]
handler = echo
subprotocols = chat.v2, chat.v1
[route /strict]
handler = echo
subprotocols = chat.v2
require_subprotocol = yes
[route /open]
handler = echo
origins = *
"""

    async def selected(self, path, *offered):
        async with websockets.connect(self.weir.url(path), subprotocols=offered or None) as websocket:
            await websocket.send("still there?")
            self.assertEqual(await websocket.recv(), "still there?")
            return websocket.subprotocol

    async def test_preferred_subprotocol_is_selected(self):
        self.assertEqual(await self.selected("/chat", "chat.v1", "chat.v2"), "chat.v2")
        self.assertEqual(await self.selected("/chat", "soap", "chat.v1"), "chat.v1")
        self.assertIsNone(await self.selected("/chat", "soap"))
        self.assertIsNone(await self.selected("/chat"))
        self.assertIsNone(await self.selected("/echo", "chat.v1"))
        self.assertEqual(await self.selected("/strict", "chat.v2"), "chat.v2")
        for offered in ([], ["chat.v1"]):
            with self.assertRaises(InvalidStatus) as refused:
                await self.selected("/strict", *offered)
            self.assertEqual(refusal(refused.exception)[0], 400)

    def status(self, path, origin):
        return fetch(self.weir.port, request(path, upgrade_headers(Origin=origin))).status

    def test_only_listed_origins_may_connect(self):
        for origin, status in (
            (None, 101),
            ("http://127.0.0.1:3000", 101),
            ("https://a.example.com", 101),
            ("https://example.com", 403),
            ("http://evil.example.net", 403),
            ("null", 403),
            ("", 403),
        ):
            with self.subTest(origin=origin):
                self.assertEqual(self.status("/echo", origin), status)
                self.assertEqual(self.status("/open", origin), 101)


if __name__ == "__main__":
    unittest.main()
