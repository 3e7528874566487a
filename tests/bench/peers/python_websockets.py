#!/usr/bin/python3
"""python_websockets - the peer on Python's websockets (Debian's python3-websockets, 10.4): asyncio, one thread.

    python_websockets.py [--uvloop] PORT        listens on 127.0.0.1 and prints `listening`; SIGTERM or SIGINT end it
    python_websockets.py [--uvloop] --version   of websockets, Python and the event loop

The event loop is asyncio's own, or uvloop (python3-uvloop), as users do who look for speed. Serves /echo, /deflate
(permessage-deflate without context takeover for clients that offer it; elsewhere none), /broadcast, /room/NAME,
/pings and /sleep ("sleep N" holds the event loop for N ms). It has no POST /publish/NAME: the library answers
GET alone.

SPDX-License-Identifier: MIT
"""

import asyncio
import collections
import platform
import re
import resource
import signal
import sys
import time

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.legacy.server import WebSocketServerProtocol

try:
    import uvloop
except ImportError:
    uvloop = None

MESSAGE_MAX = 16 << 20
PING_SECONDS = 20
NO_TAKEOVER = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True,
                                             compress_settings={"level": 1, "memLevel": 5})  # level: as weir's
SLEEP = re.compile(rb"sleep (\d+)")

rooms = collections.defaultdict(set)


class Client(WebSocketServerProtocol):
    """What a server may choose once, each path has for itself: whether clients are pinged, and compression."""

    async def process_request(self, path, request_headers):
        if path == "/pings":
            self.ping_interval = self.ping_timeout = PING_SECONDS

    def process_extensions(self, headers, available_extensions):
        return super().process_extensions(headers, available_extensions if self.path == "/deflate" else None)


async def echo(client):
    async for message in client:
        await client.send(message)


async def echo_with_sleep(client):
    async for message in client:
        told = SLEEP.match(message.encode() if isinstance(message, str) else message)
        if told:
            time.sleep(int(told[1]) / 1000)
        await client.send(message)


async def share(client):
    members = rooms[client.path]
    members.add(client)
    try:
        async for message in client:
            websockets.broadcast(members, message)
    finally:
        members.discard(client)


async def serve_client(client):
    try:
        if client.path == "/sleep":
            await echo_with_sleep(client)
        elif client.path == "/broadcast" or client.path.startswith("/room/"):
            await share(client)
        else:
            await echo(client)
    except websockets.ConnectionClosed:
        pass


async def serve(port):
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await websockets.serve(serve_client, "127.0.0.1", port, create_protocol=Client, compression=None,
                                    extensions=[NO_TAKEOVER], ping_interval=None, max_size=MESSAGE_MAX,
                                    backlog=4096)
    print("listening", flush=True)
    await stopped.wait()
    server.close()


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    wants_uvloop = sys.argv[1:2] == ["--uvloop"]
    if wants_uvloop and not uvloop:
        sys.exit("python_websockets: python3-uvloop is not installed")
    if sys.argv[-1] == "--version":
        loop = f"uvloop {uvloop.__version__}" if wants_uvloop else "asyncio's own loop"
        print(f"websockets {websockets.version.version}, Python {platform.python_version()}, {loop}")
        return
    raise_descriptor_limit()
    if wants_uvloop:
        uvloop.install()
    asyncio.run(serve(int(sys.argv[-1])))


if __name__ == "__main__":
    main()
