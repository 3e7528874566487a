#!/usr/bin/python3
"""Compares weir with the floor of cost (floor.c), and with other servers, in one run on this machine.

    compare.py --build build --rounds 5 --duration 2 --clients 1,100,1000
    compare.py --build build --peer 'uWS=/opt/uws/echo {port}:0:/echo'

Every server is started once and stays; in each round each is measured in turn, in an order that shifts from
round to round, so that what disturbs the machine disturbs all alike. A ratio is taken within a round; the table
shows the medians and, in brackets, the lowest and the highest ratio of the rounds. It goes to stdout, progress to
stderr. A machine that does other work favours the server with more threads: compare on an idle one.

Exit status: 0 if every run went well, 1 if a connection or a message failed, 2 on a usage error.

SPDX-License-Identifier: MIT
"""

import argparse
import json
import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

WEIR_CONFIG = """\
[server]
listen = 127.0.0.1:{port}

[route /echo]
handler = echo

[route /broadcast]
handler = broadcast

[log]
level = warning
"""

START_TIMEOUT = 10
STOP_TIMEOUT = 15


class Server:
    """A server process that listens on a port of 127.0.0.1."""

    def __init__(self, name, command, port, path, cpus=None):
        self.name, self.port, self.path = name, port, path
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=pin_to(cpus))
        except OSError as error:
            sys.exit(f"compare: {name}: {error}")

    def wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"compare: {self.name} ended at its start with status {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"compare: {self.name} does not listen on port {self.port}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            print(f"compare: {self.name} did not end on SIGTERM", file=sys.stderr)
            self.process.kill()
            self.process.wait()


def pin_to(cpus):
    """What a child does before it becomes another program: keep to these processors, if any are given."""
    return (lambda: os.sched_setaffinity(0, cpus)) if cpus else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client_counts(text):
    counts = [int(item) for item in text.split(",")]
    if not counts or min(counts) < 1:
        raise ValueError
    return counts


def peer(text):
    """NAME=COMMAND:PORT:PATH; a PORT of 0 is any free one, and {port} in the command stands for it."""
    name, equals, rest = text.partition("=")
    command, port, path = rest.rsplit(":", 2)
    if not (name and equals and command and path.startswith("/")):
        raise ValueError
    return name, command, int(port), path


def positive(text):
    number = float(text)
    if number <= 0:
        raise ValueError
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description="Compares weir with the floor of cost, and with other servers.")
    parser.add_argument("--build", default="build",
                        help="folder with weir, bench/floor and bench/load (%(default)s)")
    parser.add_argument("--weir", help="instead of BUILD/weir")
    parser.add_argument("--floor", help="instead of BUILD/bench/floor")
    parser.add_argument("--load", help="instead of BUILD/bench/load")
    parser.add_argument("--no-weir", action="store_true", help="compare only the floor and the peers")
    parser.add_argument("--peer", action="append", type=peer, default=[], metavar="NAME=COMMAND:PORT:PATH",
                        help="another server; PORT 0 is a free one, {port} in COMMAND stands for it")
    parser.add_argument("--rounds", type=int, default=5, help="at least 5 tell something (%(default)s)")
    parser.add_argument("--duration", type=positive, default=2, metavar="SECONDS", help="of each run (%(default)s)")
    parser.add_argument("--clients", type=client_counts, default=[1, 100, 1000], metavar="N,N",
                        help="one row for each (1,100,1000)")
    parser.add_argument("--size", type=int, default=20, help="bytes of a message (%(default)s)")
    parser.add_argument("--window", type=int, default=1, help="messages in flight per client (%(default)s)")
    parser.add_argument("--pin", action="store_true",
                        help="keep the load program to the last processor and the servers to the others")
    arguments = parser.parse_args()
    arguments.weir = arguments.weir or os.path.join(arguments.build, "weir")
    arguments.floor = arguments.floor or os.path.join(arguments.build, "bench", "floor")
    arguments.load = arguments.load or os.path.join(arguments.build, "bench", "load")
    if arguments.rounds < 1:
        parser.error("--rounds: write a number above 0")
    if arguments.no_weir and not arguments.peer:
        parser.error("--no-weir leaves only the floor: add a --peer")
    if len({"floor", "weir"} | {name for name, *_ in arguments.peer}) < 2 + len(arguments.peer):
        parser.error("--peer: every server needs a name of its own")
    for program in [arguments.floor, arguments.load] + ([] if arguments.no_weir else [arguments.weir]):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there; build it first")
    return arguments


def processors(arguments):
    """The processors of the servers and of the load program; None stands for any."""
    available = sorted(os.sched_getaffinity(0))
    if not arguments.pin or len(available) < 2:
        return None, None
    return set(available[:-1]), {available[-1]}


def start_servers(arguments, folder, cpus, servers):
    """Appends to `servers` as they start, so that the caller can stop those that did."""
    port = free_port()
    servers.append(Server("floor", [arguments.floor, str(port)], port, "/echo", cpus))
    if not arguments.no_weir:
        port = free_port()
        config = os.path.join(folder, "bench.ini")
        with open(config, "w", encoding="ascii") as file:
            file.write(WEIR_CONFIG.format(port=port))
        servers.append(Server("weir", [arguments.weir, "serve", "-c", config], port, "/echo", cpus))
    for name, command, port, path in arguments.peer:
        port = port or free_port()
        words = [word.replace("{port}", str(port)) for word in shlex.split(command)]
        servers.append(Server(name, words, port, path, cpus))
    for server in servers:
        server.wait_until_ready()


def measure(arguments, server, clients, cpus):
    """One run of the load program. Returns its figures, with "ok" telling whether all went well."""
    command = [arguments.load, "--json", "--port", str(server.port), "--path", server.path,
               "--clients", str(clients), "--duration", str(arguments.duration),
               "--size", str(arguments.size), "--window", str(arguments.window)]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                         preexec_fn=pin_to(cpus))
    if run.returncode != 0:
        print(f"compare: {server.name}, {clients} clients:\n{run.stderr}", file=sys.stderr)
    if not run.stdout:
        sys.exit(f"compare: {arguments.load} gave no figures (status {run.returncode})")
    return dict(json.loads(run.stdout), ok=run.returncode == 0)


def run_rounds(arguments, servers, cpus):
    """Returns results[clients][server name] = one figure per round."""
    results = {clients: {server.name: [] for server in servers} for clients in arguments.clients}
    for number in range(arguments.rounds):
        for clients in arguments.clients:
            shift = number % len(servers)
            for server in servers[shift:] + servers[:shift]:
                figures = measure(arguments, server, clients, cpus)
                results[clients][server.name].append(figures)
                print(f"round {number + 1}/{arguments.rounds}, {clients} clients, {server.name}: "
                      f"{figures['rate']:,.0f}/s", file=sys.stderr)
    return results


def median_of(rounds, key):
    return statistics.median(figures[key] for figures in rounds)


def cell(rounds, floor_rounds):
    """The figures of one server in one row: rate, ratio to the floor with its spread, 99th percentile."""
    rate, p99 = f"{median_of(rounds, 'rate'):,.0f}", f"{median_of(rounds, 'p99_us') / 1000:.2f}"
    if not all(figures["ok"] for figures in rounds):
        rate += " **failed**"
    if rounds is floor_rounds:
        return [rate, p99]
    ratios = [mine["rate"] / floor["rate"] for mine, floor in zip(rounds, floor_rounds) if floor["rate"] > 0]
    if not ratios:
        return [rate, "-", p99]
    return [rate, f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})", p99]


def print_table(arguments, servers, results):
    titles = ["clients"]
    for server in servers:
        ratio = [] if server.name == "floor" else [f"{server.name}/floor"]
        titles += [f"{server.name} msg/s", *ratio, f"{server.name} p99 ms"]
    print(f"{arguments.size}-byte messages, {arguments.window} in flight per client, {arguments.rounds} rounds of "
          f"{arguments.duration:g} s, {len(os.sched_getaffinity(0))} processors shared with the load program; "
          "medians (lowest..highest)\n")
    print("| " + " | ".join(titles) + " |")
    print("|" + "---:|" * len(titles))
    for clients, row in results.items():
        cells = [f"{clients:,}"]
        for server in servers:
            cells += cell(row[server.name], row["floor"])
        print("| " + " | ".join(cells) + " |")


def main():
    arguments = parse_arguments()
    server_cpus, load_cpus = processors(arguments)
    servers = []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        try:
            start_servers(arguments, folder, server_cpus, servers)
            results = run_rounds(arguments, servers, load_cpus)
        finally:
            for server in servers:
                server.stop()
    print_table(arguments, servers, results)
    every_run = [figures for row in results.values() for rounds in row.values() for figures in rounds]
    return 0 if all(figures["ok"] for figures in every_run) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
