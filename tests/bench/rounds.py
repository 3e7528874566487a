"""rounds - runs rows x servers in rounds: what disturbs the machine disturbs all alike. The order of the servers shifts
from round to round, and ratios are later taken within a round.

Most rows are measured against servers that were started once and stay; those that are not quiet while they have no
clients are started for their turn instead. Rows about memory, starting, and handlers that block get servers of their
own.

SPDX-License-Identifier: MIT
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import loads
from idle import idle
from process import Process, StartError
from rows import MANY_CLIENTS
from usage import processor_seconds

SLOWEST = 2000  # clients a second: whoever connects fewer is left out of rows with MANY_CLIENTS
QUIET = 0.01  # of a core, without clients
FRESH = ("mixed", "start", "idle")  # kinds of rows that start servers of their own
BEGAN = time.monotonic()
KINDS = {"load": loads.load, "connect": loads.connect, "mixed": loads.mixed, "publish": loads.publish,
         "metrics": loads.metrics, "many": loads.many}


class Settings(NamedTuple):
    weir: str
    many: str  # the program many_channels
    rounds: int
    warmup: float  # seconds, as all times here
    duration: float
    idle: float  # how long idle clients are watched
    folder: Path  # for files of one run
    json_file: Path  # messages


class Meeting:
    """All servers, and what was found out about each before the first round."""

    def __init__(self, settings, servers):
        self.settings, self.servers = settings, servers
        self.running = {}  # by name; those that stay
        self.speeds, self.idle_cpu, self.paths = {}, {}, {}
        self.missing = {}  # why a server takes no part at all

    def start(self, server):
        return Process(server, tempfile.mkdtemp(prefix=f"{server.name}-", dir=self.settings.folder))

    @contextlib.contextmanager
    def open(self):
        """Starts all that are there; in the end stops those that run."""
        try:
            for server in self.servers:
                reason = server.missing()
                if reason is None:
                    reason = self.welcome(server)
                if reason is not None:
                    self.missing[server.name] = reason
                    progress(f"{server.name} is left out: {reason}")
            self.watch_idle()
            yield
        finally:
            for process in self.running.values():
                process.stop()

    def welcome(self, server):
        try:
            process = self.start(server)
        except StartError as error:
            return str(error)
        self.running[server.name] = process
        if server.asks_for_paths:
            server.paths = loads.paths_of(process)
            process.paths = server.paths
        self.speeds[server.name] = loads.connect_speed(self.settings, process)
        progress(f"{server.name}: ready after {process.start_seconds * 1000:.0f} ms, "
                 f"{self.speeds[server.name]:,.0f} clients a second")
        return None

    def watch_idle(self):
        """Those that are busy without clients do not stay."""
        time.sleep(1)
        before = {name: processor_seconds(process.pids) for name, process in self.running.items()}
        time.sleep(1)
        for name, process in list(self.running.items()):
            self.idle_cpu[name] = processor_seconds(process.pids) - before[name]
            if self.idle_cpu[name] > QUIET:
                progress(f"{name} uses {self.idle_cpu[name]:.0%} of a core without clients: started for its turns")
                self.running.pop(name).stop()

    def left_out(self, server, row):
        """Why a server is not measured in a row; None if it is. A variant of weir is no part of other rows."""
        if server.name in self.missing:
            return self.missing[server.name]
        if row.purpose not in server.paths:
            return "not served"
        if row.clients >= MANY_CLIENTS and self.speeds[server.name] < SLOWEST:
            return f"connects {self.speeds[server.name]:,.0f} clients a second"
        return None

    def guests(self, row):
        """Servers that a row is about, there or not."""
        return [server for server in self.servers if server.name in row.servers or not (row.servers or server.variant)]

    @contextlib.contextmanager
    def at_hand(self, server, row):
        """The running server for one turn."""
        process = None if row.kind in FRESH else self.running.get(server.name)
        if process is not None:
            yield process
            return
        process = self.start(server)
        try:
            yield process
        finally:
            # Event loops that were put to sleep may have much of it before them.
            process.kill() if row.kind == "mixed" else process.stop()

    def turn(self, server, row):
        """One run."""
        try:
            with self.at_hand(server, row) as process:
                if row.kind == "start":
                    return {"ok": True, "start_ms": process.start_seconds * 1e3}
                return KINDS[row.kind](self.settings, process, row)
        except (StartError, OSError, ValueError) as error:
            return loads.failed(str(error) or repr(error))

    def all_at_once(self, servers, row):
        """One run of each server, {name: run}."""
        processes, runs = [], {}
        try:
            for server in servers:
                try:
                    processes.append(self.start(server))
                except StartError as error:
                    runs[server.name] = loads.failed(str(error))
            runs.update(idle(self.settings, processes, row))
        finally:
            for process in processes:
                process.stop()
        return runs


def run_all(meeting, rows):
    """results[row name][server name] = its runs, one of each round; and reasons[row name][server name], of those that
    are not measured."""
    results, reasons = {row.name: {} for row in rows}, {row.name: {} for row in rows}
    for row in rows:
        for server in meeting.guests(row):
            reason = meeting.left_out(server, row)
            if reason is not None:
                reasons[row.name][server.name] = reason
    rounds = meeting.settings.rounds
    apart = [row for row in rows if row.kind == "idle"]
    for number in range(rounds):
        for row in apart:
            run_row(meeting, row, number, results[row.name], reasons[row.name])
    for number in range(rounds):
        for row in rows:
            if row not in apart:
                run_row(meeting, row, number, results[row.name], reasons[row.name])
    return results, reasons


def run_row(meeting, row, number, results, reasons):
    """One round of a row, if it has that many. Who was behind is known: that is not waited for again."""
    rounds = min(meeting.settings.rounds, row.rounds or meeting.settings.rounds)
    servers = [server for server in meeting.guests(row) if server.name not in reasons
               and not any(run.get("behind") for run in results.get(server.name, ()))]
    if number >= rounds or not servers:
        return
    servers = in_turn(servers, number)
    if row.kind == "idle":
        runs = meeting.all_at_once(servers, row).items()
    else:
        runs = ((server.name, meeting.turn(server, row)) for server in servers)
    for name, run in runs:
        results.setdefault(name, []).append(run)
        progress(f"round {number + 1}/{rounds}, {row.group}, {row.title}, {name}: {brief(run)}")


def in_turn(servers, number):
    """The order of round `number`."""
    shift = number % len(servers)
    return servers[shift:] + servers[:shift]


def brief(run):
    figures = ", ".join(f"{name} {value:,.2f}" for name, value in run.items() if isinstance(value, float))
    return figures if run["ok"] else f"FAILED: {run['why']}; {figures}"


def progress(text):
    print(f"{time.monotonic() - BEGAN:5.0f} s  {text}", file=sys.stderr, flush=True)
