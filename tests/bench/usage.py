"""usage - what processes and the machine's kernel use: processor time and memory, read from /proc.

SPDX-License-Identifier: MIT
"""

import os
import re
import threading
import time
from pathlib import Path

SAMPLE_INTERVAL = 0.05
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid):
    """A process and all that descend from it: nginx serves from a child."""
    pids = [pid]
    for parent in pids:
        try:
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                pids += [int(child) for child in children.read_text().split()]
        except OSError:
            continue  # it has ended meanwhile
    return pids


def processor_seconds(pids):
    """User and system time of all of them so far; those that have ended count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_bytes(pids):
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except OSError:
            continue
    return total


def descriptors(pids):
    """How many are open."""
    total = 0
    for pid in pids:
        try:
            total += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return total


def kernel_bytes():
    """The kernel's slabs and what TCP buffers. Sockets in TIME_WAIT, which earlier runs have left, are not counted if
    the kernel tells of them, which it does to root only."""
    slab = int(re.search(r"^Slab: *(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) * 1024
    tcp = int(re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.M)[1]) * PAGE
    return slab + tcp - waiting_bytes()


def waiting_bytes():
    try:
        slabs = Path("/proc/slabinfo").read_text()
    except OSError:
        return 0
    total = 0
    for line in slabs.splitlines():
        if line.startswith(("tw_sock_TCP", "request_sock_TCP")):
            fields = line.split()
            total += int(fields[2]) * int(fields[3])
    return total


class Watch:
    """The processor time of processes, looked at again and again while a load runs."""

    def __init__(self, pids):
        self.pids = pids
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        while not self.ended.wait(SAMPLE_INTERVAL):
            self.samples.append((time.monotonic(), processor_seconds(self.pids)))

    def busy(self, begin, end):
        """Processors that were busy from the first look to the last one between two times; None without two looks."""
        within = [sample for sample in self.samples if begin <= sample[0] <= end]
        if len(within) < 2:
            return None
        (first, used_first), (last, used_last) = within[0], within[-1]
        return (used_last - used_first) / (last - first)
