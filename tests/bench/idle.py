"""idle - many clients of all servers at the same time, which say nothing: what memory and what processor time a server
needs for them. Since all wait together, the interval of the pings is waited for only once.

SPDX-License-Identifier: MIT
"""

import signal
import time

from loads import bench_command, failed, finish, start
from usage import descriptors, kernel_bytes, processor_seconds, resident_bytes

CONNECT_TIMEOUT = 30
HOLD = 600  # seconds at most
SETTLE = 1


def idle(settings, processes, row):
    """{name: run} of these servers, which have just been started. They get their clients one after the other, so that
    what the kernel then holds more is known of each."""
    holders, runs = [], {}
    try:
        for process in processes:
            holder, runs[process.name] = fill(settings, process, row)
            holders.append(holder)
        time.sleep(SETTLE)
        watch(settings, processes, runs)
        for process in processes:
            check_all_there(process, row, runs[process.name])
    finally:
        for holder in holders:
            holder.send_signal(signal.SIGINT)
        for holder in holders:
            finish(holder, settings)
    return runs


def fill(settings, process, row):
    """(load program that holds the clients, run)"""
    resident, kernel, opened = resident_bytes(process.pids), kernel_bytes(), descriptors(process.pids)
    holder = start(bench_command(settings._replace(duration=HOLD), process.url(row.purpose), row.clients,
                                 ("--scenario", "idle")))
    deadline = time.monotonic() + CONNECT_TIMEOUT
    while descriptors(process.pids) < opened + row.clients:
        if time.monotonic() > deadline or holder.poll() is not None:
            return holder, failed(f"{descriptors(process.pids) - opened:,} of {row.clients:,} clients connected")
        time.sleep(0.02)
    time.sleep(SETTLE)
    return holder, {"ok": True, "descriptors": opened + row.clients,
                    "memory_kb": (resident_bytes(process.pids) - resident) / row.clients / 1000,
                    "kernel_kb": (kernel_bytes() - kernel) / row.clients / 1000}


def watch(settings, processes, runs):
    before = {process.name: processor_seconds(process.pids) for process in processes}
    began = time.monotonic()
    time.sleep(settings.idle)
    for process in processes:
        elapsed = time.monotonic() - began
        runs[process.name]["idle_cpu"] = (processor_seconds(process.pids) - before[process.name]) / elapsed * 100


def check_all_there(process, row, run):
    there = descriptors(process.pids)
    if run["ok"] and there < run.pop("descriptors"):
        run.update(failed(f"not all of {row.clients:,} clients stayed"))
