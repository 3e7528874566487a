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
import subprocess
import sys

from side_by_side import (add_common_arguments, check_common_arguments, free_port, in_turn, median_of, pin_to, print_rows,
                          processors, ratio_with_spread, running, Server, start_floor, start_weir, status_of)

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


def parse_arguments():
    parser = argparse.ArgumentParser(description="Compares weir with the floor of cost, and with other servers.")
    add_common_arguments(parser)
    parser.add_argument("--load", help="instead of BUILD/bench/load")
    parser.add_argument("--no-weir", action="store_true", help="compare only the floor and the peers")
    parser.add_argument("--peer", action="append", type=peer, default=[], metavar="NAME=COMMAND:PORT:PATH",
                        help="another server; PORT 0 is a free one, {port} in COMMAND stands for it")
    parser.add_argument("--clients", type=client_counts, default=[1, 100, 1000], metavar="N,N",
                        help="one row for each (1,100,1000)")
    parser.add_argument("--size", type=int, default=20, help="bytes of a message (%(default)s)")
    parser.add_argument("--window", type=int, default=1, help="messages in flight per client (%(default)s)")
    arguments = parser.parse_args()
    arguments.load = arguments.load or os.path.join(arguments.build, "bench", "load")
    check_common_arguments(parser, arguments, [arguments.load])
    if arguments.no_weir and not arguments.peer:
        parser.error("--no-weir leaves only the floor: add a --peer")
    if len({"floor", "weir"} | {name for name, *_ in arguments.peer}) < 2 + len(arguments.peer):
        parser.error("--peer: every server needs a name of its own")
    return arguments


def start_servers(arguments, folder, cpus, servers):
    """Appends to `servers` as they start, so that the caller can stop those that did."""
    servers.append(start_floor(arguments, "/echo", cpus))
    if not arguments.no_weir:
        servers.append(start_weir(arguments, folder, WEIR_CONFIG, "/echo", cpus))
    for name, command, port, path in arguments.peer:
        port = port or free_port()
        words = [word.replace("{port}", str(port)) for word in shlex.split(command)]
        servers.append(Server(name, words, port, path, cpus))


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
            for server in in_turn(servers, number):
                figures = measure(arguments, server, clients, cpus)
                results[clients][server.name].append(figures)
                print(f"round {number + 1}/{arguments.rounds}, {clients} clients, {server.name}: "
                      f"{figures['rate']:,.0f}/s", file=sys.stderr)
    return results


def cell(rounds, floor_rounds):
    """The figures of one server in one row: rate, ratio to the floor with its spread, 99th percentile."""
    rate, p99 = f"{median_of(rounds, 'rate'):,.0f}", f"{median_of(rounds, 'p99_us') / 1000:.2f}"
    if not all(figures["ok"] for figures in rounds):
        rate += " **failed**"
    if rounds is floor_rounds:
        return [rate, p99]
    return [rate, ratio_with_spread(rounds, floor_rounds, "rate"), p99]


def print_table(arguments, servers, results):
    titles = ["clients"]
    for server in servers:
        ratio = [] if server.name == "floor" else [f"{server.name}/floor"]
        titles += [f"{server.name} msg/s", *ratio, f"{server.name} p99 ms"]
    print(f"{arguments.size}-byte messages, {arguments.window} in flight per client, {arguments.rounds} rounds of "
          f"{arguments.duration:g} s, {len(os.sched_getaffinity(0))} processors shared with the load program; "
          "medians (lowest..highest)\n")
    rows = [titles]
    for clients, row in results.items():
        rows.append([f"{clients:,}"])
        for server in servers:
            rows[-1] += cell(row[server.name], row["floor"])
    print_rows(rows)


def main():
    arguments = parse_arguments()
    server_cpus, load_cpus = processors(arguments.pin)
    with running(lambda folder, servers: start_servers(arguments, folder, server_cpus, servers)) as servers:
        results = run_rounds(arguments, servers, load_cpus)
    print_table(arguments, servers, results)
    return status_of(results)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
