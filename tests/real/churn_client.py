#!/usr/bin/python3
"""churn_client - many clients in one process that join, talk and leave for a while, for test_churn.py.

    churn_client.py PORT CLIENTS SECONDS SEED STAY

Each client stays for up to STAY seconds, leaves in one of the ways below, and comes back. The last line of stdout
is a JSON object: how often each thing happened. A wrong answer ends the process with a traceback.

SPDX-License-Identifier: MIT
"""

import asyncio
import collections
import json
import os
import random
import socket
import struct
import sys
import time
import traceback

import websockets

TEXTS = ["short", '{"number": 1, "square": 1}\n' * 100, "Grüße, 世界 🌍 " * 3000]
ANSWERS = {"/light/on": "the light has turned on"}
ROUTES = ["/plain", "/on", "/takeover", "/broadcast", "/light/on"]
PATIENCE = 60


async def talk(websocket, path, choose, counts):
    if path == "/broadcast":  # all the others get it too, so not everybody sends
        if choose.random() < 0.1:
            await websocket.send(choose.choice(TEXTS))
        return
    for _ in range(choose.randrange(1, 4)):
        text = choose.choice(TEXTS)
        await websocket.send([text[:2], text[2:]] if choose.random() < 0.2 else text)
        answer = await asyncio.wait_for(websocket.recv(), PATIENCE)
        if answer != ANSWERS.get(path, text):
            raise AssertionError(f"{path} answered {answer[:100]!r} to {text[:100]!r}")
        counts["answers"] += 1


async def leave_by_close(websocket):
    await websocket.close()


async def leave_by_reset(websocket):
    connection = websocket.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    websocket.transport.abort()


async def leave_without_close(websocket):
    websocket.transport.abort()


async def leave_in_the_middle(websocket):
    """Resets with an answer, or a frame, still under way."""
    websocket.transport.write(bytes.fromhex("82fe8000a5a5a5a5") + bytes(100))
    await leave_by_reset(websocket)


async def fall_silent(websocket):
    """Neither reads nor answers, until long after the server has given up."""
    websocket.transport.pause_reading()
    await asyncio.sleep(10)
    websocket.transport.abort()


WAYS = [leave_by_close, leave_by_reset, leave_without_close, leave_in_the_middle, fall_silent]


async def stay(port, seconds, choose, counts):
    path = choose.choice(ROUTES)
    way = choose.choices(WAYS, [6, 3, 3, 3, 1])[0]
    compression = choose.choice(["deflate", None])
    try:
        websocket = await websockets.connect(
            f"ws://127.0.0.1:{port}{path}",
            compression=compression, ping_interval=None, open_timeout=PATIENCE, close_timeout=PATIENCE,
            max_queue=None,
        )
        counts["joined"] += 1
        await talk(websocket, path, choose, counts)
        await asyncio.sleep(choose.uniform(0, seconds))
        await way(websocket)
        counts[way.__name__] += 1
    except websockets.ConnectionClosed as closed:  # by keepalive, if this process has been slow
        counts[f"closed with {closed.code}"] += 1
    except (websockets.InvalidHandshake, websockets.InvalidMessage, OSError, asyncio.TimeoutError):
        counts["refused"] += 1  # it came too late with its request, or the server had too many to look at


async def come_and_go(port, deadline, seconds, choose, counts):
    await asyncio.sleep(choose.uniform(0, seconds))
    while time.monotonic() < deadline:
        await stay(port, seconds, choose, counts)


async def main(port, clients, seconds, seed, stay_seconds):
    counts = collections.Counter()
    choose = random.Random(seed)
    deadline = time.monotonic() + seconds
    coming = [come_and_go(port, deadline, stay_seconds, choose, counts) for _ in range(clients)]
    tasks = [asyncio.create_task(client) for client in coming]
    done, connected = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        if task.exception() is not None:
            traceback.print_exception(task.exception())
            os._exit(1)
    counts["left at the end"] = len(connected)
    print(json.dumps(counts), flush=True)
    os._exit(0)  # whoever is still connected goes with the process


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:5]), float(sys.argv[5])))
