#!/usr/bin/python3
"""half_open_attack - keeps unfinished requests open until its input ends; of those that are cut off, a thousand a
second come again.

    half_open_attack.py PORT COUNT DATA ADDRESS...

DATA is what each sends, ADDRESS the loopback addresses that they come from in turn. Prints a line once they are
all open for the first time, and at the end how many have been cut off, and how many of those without an answer. A process of its own, so that it takes no
time from the test that measures.

SPDX-License-Identifier: MIT
"""

import contextlib
import itertools
import select
import socket
import sys
import time

AT_ONCE = 50  # opened, before looking again who has been cut off
PAUSE_MS = 50


def open_one(port, address, data):
    opened = socket.create_connection(("127.0.0.1", port), 30, (address, 0))
    with contextlib.suppress(ConnectionError):  # cut off already
        opened.sendall(data)
    return opened


def has_answer(opened):
    """Whether the server said why it cuts this one off."""
    with contextlib.suppress(OSError):
        return opened.recv(4096).startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 503 "))
    return False


def main():
    port, count, data = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
    addresses = itertools.cycle(sys.argv[4:])
    opened, cut_off, bare, pause = {}, 0, 0, 0
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    while True:
        for number, _ in poll.poll(pause):
            if number == sys.stdin.fileno():
                print(cut_off, bare)
                return
            poll.unregister(number)
            one = opened.pop(number)
            cut_off += 1
            bare += not has_answer(one)
            one.close()
        for _ in range(min(AT_ONCE, count - len(opened))):
            one = open_one(port, next(addresses), data)
            opened[one.fileno()] = one
            poll.register(one, select.POLLIN)
        if len(opened) == count and pause == 0:
            pause = PAUSE_MS
            print("open", flush=True)
        elif pause > 0:
            time.sleep(pause / 1000)


if __name__ == "__main__":
    main()
