"""side_by_side - what the comparisons of this folder share: servers that are started once and stay while all are
measured in turn, and tables of what came out, as medians of the rounds and ratios within a round.

SPDX-License-Identifier: MIT
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

START_TIMEOUT = 10
STOP_TIMEOUT = 15


class Server:
    """A server process that listens on a port of 127.0.0.1."""

    def __init__(self, name, command, port, path, cpus=None):
        self.name, self.port, self.path = name, port, path
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=pin_to(cpus))
        except OSError as error:
            sys.exit(f"{name}: {error}")

    def wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended at its start with status {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.name} does not listen on port {self.port}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not end on SIGTERM", file=sys.stderr)
            self.process.kill()
            self.process.wait()


def start_floor(arguments, path, cpus):
    port = free_port()
    return Server("floor", [arguments.floor, str(port)], port, path, cpus)


def start_weir(arguments, folder, config, path, cpus):
    """Writes the configuration, in which {port} is replaced, into a folder that stays as long as the server."""
    port = free_port()
    ini = os.path.join(folder, "bench.ini")
    with open(ini, "w", encoding="ascii") as file:
        file.write(config.replace("{port}", str(port)))
    return Server("weir", [arguments.weir, "serve", "-c", ini], port, path, cpus)


@contextlib.contextmanager
def running(start):
    """The servers that start(folder, servers) appends to `servers` as they start, once all are ready. Those that have
    been appended are stopped in the end, whatever became of the others."""
    servers = []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        try:
            start(folder, servers)
            for server in servers:
                server.wait_until_ready()
            yield servers
        finally:
            for server in servers:
                server.stop()


def in_turn(servers, number):
    """The order of round `number`: it shifts from round to round."""
    shift = number % len(servers)
    return servers[shift:] + servers[:shift]


def pin_to(cpus):
    """What a child does before it becomes another program: keep to these processors, if any are given."""
    return (lambda: os.sched_setaffinity(0, cpus)) if cpus else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def positive(text):
    number = float(text)
    if number <= 0:
        raise ValueError
    return number


def add_common_arguments(parser):
    parser.add_argument("--build", default="build", help="folder with weir and bench/ (%(default)s)")
    parser.add_argument("--weir", help="instead of BUILD/weir")
    parser.add_argument("--floor", help="instead of BUILD/bench/floor")
    parser.add_argument("--rounds", type=int, default=5, help="at least 5 tell something (%(default)s)")
    parser.add_argument("--duration", type=positive, default=2, metavar="SECONDS", help="of each run (%(default)s)")
    parser.add_argument("--pin", action="store_true",
                        help="keep the load program to the last processor and the servers to the others")


def check_common_arguments(parser, arguments, programs):
    """Fills in what was not given; all that is needed, with `programs`, has to be there."""
    arguments.weir = arguments.weir or os.path.join(arguments.build, "weir")
    arguments.floor = arguments.floor or os.path.join(arguments.build, "bench", "floor")
    if arguments.rounds < 1:
        parser.error("--rounds: write a number above 0")
    if not getattr(arguments, "no_weir", False):
        programs = [*programs, arguments.weir]
    for program in [arguments.floor, *programs]:
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there; build it first")


def processors(pin):
    """The processors of the servers and of the load program, apart if `pin` says so; None stands for any."""
    available = sorted(os.sched_getaffinity(0))
    if not pin or len(available) < 2:
        return None, None
    return set(available[:-1]), {available[-1]}


def median_of(rounds, key):
    return statistics.median(figures[key] for figures in rounds)


def ratio_with_spread(rounds, floor_rounds, key):
    """The median of the ratios to the floor in the same round, with the lowest and the highest."""
    ratios = [mine[key] / floor[key] for mine, floor in zip(rounds, floor_rounds) if floor[key] > 0]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})" if ratios else "-"


def status_of(results):
    """The exit status of all results[row][server name] = one figure per round."""
    every_run = [figures for row in results.values() for rounds in row.values() for figures in rounds]
    return 0 if all(figures["ok"] for figures in every_run) else 1


def print_rows(rows):
    """A table in Markdown; the first row has the titles."""
    for number, cells in enumerate(rows):
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print("|" + "---:|" * len(cells))
