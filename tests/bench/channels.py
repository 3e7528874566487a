#!/usr/bin/python3
"""Compares weir's channels with the floor of cost: a bare epoll program that sends each message of a room to all its
clients (floor.c), in one run on this machine.

    channels.py --build build --rounds 5 --duration 2
    channels.py --build build --rounds 1 --rows 1x100,100x100

The rows are CHANNELSxSUBSCRIBERS: one publisher in each channel, which is one of the subscribers, on the path
/room/NAME. The last row, `many`, is one client in 1,000 channels by the protocol weir.v1, with 4 publishers; the floor
has no such thing. As in compare.py, all are measured in turn within each round, ratios are taken within a round, and
the table shows medians and, in brackets, the lowest and the highest ratio. CPU is the server's own, user and system,
while deliveries were measured, in seconds per million of them.

The servers, and each load program, need a descriptor for every client: 10,000 and some more.

Exit status: 0 if every run went well, 1 if a connection or a message failed, 2 on a usage error.

SPDX-License-Identifier: MIT
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from side_by_side import (add_common_arguments, check_common_arguments, in_turn, median_of, pin_to, print_rows, processors,
                          ratio_with_spread, running, start_floor, start_weir, status_of)

WEIR_CONFIG = """\
[server]
listen = 127.0.0.1:{port}
max_connections = 16384

[channels]
max_channels = 20000
max_channels_per_connection = 1000

[route /room/{name}]
handler = channel
channel = room:{name}

[route /channels]
handler = channels
subprotocols = weir.v1

[log]
level = warning
"""

WARMUP = 0.5
SAMPLE_INTERVAL = 0.05
MANY_CHANNELS = 1000
MANY_PUBLISHERS = 4
MANY_WINDOW = 8


class Row(NamedTuple):
    channels: int
    subscribers: int  # of each; 0: the one client of `many`
    window: int

    @property
    def name(self):
        return f"{self.channels}x{self.subscribers}" if self.subscribers else "many"

    @property
    def title(self):
        if not self.subscribers:
            return f"1 client in {self.channels:,} channels"
        return f"{self.channels:,} x {self.subscribers:,}"


ROWS = [Row(1, subscribers, window) for subscribers in (100, 1000, 10000) for window in (1, 8)]
ROWS += [Row(100, 100, 1), Row(10000, 1, 1), Row(MANY_CHANNELS, 0, MANY_WINDOW)]
ROW_NAMES = list(dict.fromkeys(row.name for row in ROWS))


class Usage:
    """The processor time of a process, looked at again and again while a load runs."""

    def __init__(self, pid):
        self.stat = f"/proc/{pid}/stat"
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
            try:
                with open(self.stat, encoding="ascii") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                return  # the server has ended, which its clients tell of
            user, system = int(fields[11]), int(fields[12])
            self.samples.append((time.monotonic(), (user + system) / os.sysconf("SC_CLK_TCK")))

    def per_second(self, begin, end):
        """Processors that were busy from the first look to the last one between two times; None without two looks."""
        within = [sample for sample in self.samples if begin <= sample[0] <= end]
        if len(within) < 2:
            return None
        (first, used_first), (last, used_last) = within[0], within[-1]
        return (used_last - used_first) / (last - first)


def row_names(text):
    names = text.split(",")
    if not set(names) <= set(ROW_NAMES):
        raise argparse.ArgumentTypeError(f"{text}: the rows are {', '.join(ROW_NAMES)}")
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(description="Compares weir's channels with a bare epoll program.")
    add_common_arguments(parser)
    parser.add_argument("--rows", type=row_names, metavar="ROW,ROW",
                        help="only these of " + ", ".join(ROW_NAMES))
    parser.add_argument("--size", type=int, default=20, help="bytes of a message on a path (%(default)s)")
    arguments = parser.parse_args()
    arguments.many = os.path.join(arguments.build, "bench", "many_channels")
    check_common_arguments(parser, arguments, [arguments.many])
    return arguments


def start_servers(arguments, folder, cpus, servers):
    """Appends to `servers` as they start."""
    servers.append(start_floor(arguments, "/room/", cpus))
    servers.append(start_weir(arguments, folder, WEIR_CONFIG, "/room/", cpus))


def load_command(arguments, server, row):
    times = ["--warmup", str(WARMUP), "--duration", str(arguments.duration)]
    if not row.subscribers:
        return [arguments.many, "--port", str(server.port), "--path", "/channels", "--channels", str(row.channels),
                "--publishers", str(MANY_PUBLISHERS), "--window", str(row.window), *times]
    return [arguments.weir, "bench", "--quiet", "--json", "-", "--scenario", "broadcast", "--rooms", str(row.channels),
            "--clients", str(row.channels * row.subscribers), "--window", str(row.window), "--size", str(arguments.size),
            *times, f"ws://127.0.0.1:{server.port}/room/{{room}}"]


def figures_of(result):
    """Deliveries per second, milliseconds, and seconds until all were connected, of either load program."""
    if "messages" not in result:
        return result["rate"], result["p99_us"] / 1000, result["connect_seconds"]
    return (result["messages"]["received_per_second"], result["latency"]["p99_seconds"] * 1000,
            result["connections"]["connect_seconds"])


def measure(arguments, server, row, cpus):
    """One run of a load program. Returns its figures, with "ok" telling whether all went well."""
    command = load_command(arguments, server, row)
    with Usage(server.process.pid) as usage:
        began = time.monotonic()
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                             preexec_fn=pin_to(cpus))
    ok = run.returncode == 0
    if not run.stdout:
        print(f"{server.name}, {row.title}: no figures (status {run.returncode})\n{run.stderr}", file=sys.stderr)
        return {"rate": 0, "p99_ms": 0, "cpu": None, "ok": False}
    result = json.loads(run.stdout)
    if not ok:
        trouble = result.get("messages", result), result.get("connections")
        print(f"{server.name}, {row.title}: {trouble}\n{run.stderr}", file=sys.stderr)
    rate, p99, connecting = figures_of(result)
    begin, margin = began + connecting + WARMUP, min(0.1, arguments.duration / 10)
    busy = usage.per_second(begin + margin, begin + arguments.duration - margin)
    return {"rate": rate, "p99_ms": p99, "cpu": None if busy is None or rate == 0 else busy / rate * 1e6, "ok": ok}


def run_rounds(arguments, rows, servers, cpus):
    """Returns results[row][server name] = one figure per round."""
    results = {row: {} for row in rows}
    for number in range(arguments.rounds):
        for row in rows:
            for server in in_turn(servers, number):
                if server.name == "floor" and not row.subscribers:
                    continue
                figures = measure(arguments, server, row, cpus)
                results[row].setdefault(server.name, []).append(figures)
                print(f"round {number + 1}/{arguments.rounds}, {row.title}, {row.window} in flight, {server.name}: "
                      f"{figures['rate']:,.0f}/s", file=sys.stderr)
    return results


def cells_of(rounds):
    """Rate, 99th percentile, processor time of one server in one row."""
    if rounds is None:
        return ["-"] * 3
    failed = "" if all(figures["ok"] for figures in rounds) else " **failed**"
    seen = [figures for figures in rounds if figures["cpu"] is not None]
    return [f"{median_of(rounds, 'rate'):,.0f}{failed}", f"{median_of(rounds, 'p99_ms'):.2f}",
            f"{median_of(seen, 'cpu'):.2f}" if seen else "-"]


def print_table(arguments, results):
    print(f"{arguments.size}-byte messages, {arguments.rounds} rounds of {arguments.duration:g} s, "
          f"{len(os.sched_getaffinity(0))} processors shared with the load program; medians (lowest..highest); CPU: "
          "seconds of the server per million deliveries\n")
    rows = [["channels x subscribers", "in flight", "floor deliveries/s", "floor p99 ms", "floor CPU", "weir deliveries/s",
             "weir p99 ms", "weir CPU", "weir/floor"]]
    for row, result in results.items():
        floor, weir = result.get("floor"), result["weir"]
        publishers = "" if row.subscribers else f"{MANY_PUBLISHERS} x "
        rows.append([row.title, f"{publishers}{row.window}", *cells_of(floor), *cells_of(weir),
                     ratio_with_spread(weir, floor, "rate") if floor else "-"])
    print_rows(rows)


def main():
    arguments = parse_arguments()
    rows = [row for row in ROWS if arguments.rows is None or row.name in arguments.rows]
    server_cpus, load_cpus = processors(arguments.pin)
    with running(lambda folder, servers: start_servers(arguments, folder, server_cpus, servers)) as servers:
        results = run_rounds(arguments, rows, servers, load_cpus)
    print_table(arguments, results)
    return status_of(results)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
