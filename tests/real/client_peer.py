"""client_peer - the four services of conf/tutorial.ini with Debian's python3-websockets, for test_client.py.

    /usr/bin/python3 client_peer.py

Prints its port, serves until it is killed.

SPDX-License-Identifier: MIT
"""

import asyncio
import json
import struct

import websockets

from python_websockets import choosing, request_of

consumers = set()


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def light(websocket, status):
    async for _ in websocket:
        await websocket.send(f"the light has turned {status}")


async def distribute(websocket):
    consumers.add(websocket)
    try:
        async for message in websocket:
            websockets.broadcast(consumers, message)
    finally:
        consumers.remove(websocket)


async def command(websocket):
    json.loads(await websocket.recv())
    async for message in websocket:
        number, payload = struct.unpack("<i", message[:4])[0], message[4:]
        await websocket.send(message[:4] + (payload if number == 2 else b""))


async def serve(websocket):
    path, _ = request_of(websocket)
    if path == "/":
        await echo(websocket)
    elif path in ("/light/on", "/light/off"):
        await light(websocket, path.rsplit("/", 1)[1])
    elif path == "/distribute":
        await distribute(websocket)
    elif path == "/command":
        await command(websocket)
    else:
        await websocket.close(4040, f"no route for {path}")


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, **choosing("chat")) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
