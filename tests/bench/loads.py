"""loads - runs the load programs, and makes figures of what they tell.

A run is a dictionary: "ok", whether each message came back as it should; "why", if not; and figures by the names of
rows.METRICS. What a run that failed measured stays in it, for whoever looks for the cause, but is never counted.

SPDX-License-Identifier: MIT
"""

import json
import re
import subprocess
import time

from handshake import published, upgraded
from usage import Watch, descriptors

GRACE = 60  # seconds beyond its own time in which a load program must have ended
TROUBLE = {"connections": ("failed", "dropped"),
           "messages": ("missing", "out_of_order", "unexpected", "wrong", "late")}


def bench_command(settings, url, clients, options=()):
    options = [option.replace("{json}", str(settings.json_file)) for option in options]
    return [settings.weir, "bench", "--quiet", "--json", "-", "--clients", str(clients),
            "--warmup", f"{settings.warmup}s", "--duration", f"{settings.duration}s", *options, url]


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def finish(load, settings):
    """(figures of the program or None, run) once it has ended."""
    try:
        out, errors = load.communicate(timeout=settings.warmup + settings.duration + GRACE)
    except subprocess.TimeoutExpired:
        load.kill()
        load.communicate()
        return None, failed("the load program did not end")
    try:
        result = json.loads(out)
    except ValueError:
        return None, failed(errors.strip().splitlines()[-1] if errors.strip() else f"status {load.returncode}")
    trouble = trouble_of(result)
    if load.returncode != 0 and not trouble:
        trouble = [errors.strip().splitlines()[-1] if errors.strip() else f"status {load.returncode}"]
    return result, {"ok": not trouble, **({"why": ", ".join(trouble)} if trouble else {})}


def failed(why):
    return {"ok": False, "why": why}


def trouble_of(result):
    """What went wrong by the JSON of `weir bench`, as "3 missing"."""
    trouble = [f"{result[part][name]} {name.replace('_', ' ')}" for part, names in TROUBLE.items() for name in names
               if result[part][name]]
    if trouble and result["connections"]["first_error"]:
        trouble.append(result["connections"]["first_error"])
    return trouble


def watched(settings, process, command):
    """Runs one load program. (its figures or None, run with the server's processor time), measured while it did."""
    with Watch(process.pids) as watch:
        began = time.monotonic()
        result, run = finish(start(command), settings)
    if result is not None:
        begin = began + result["connections"]["connect_seconds"] + settings.warmup
        margin = min(0.1, settings.duration / 10)
        run["busy"] = watch.busy(begin + margin, begin + settings.duration - margin)
        run["load_busy"] = result["tester"]["busiest_thread_share"]
    return result, run


def load(settings, process, row):
    """Messages, as fast as they come back, or deliveries of a broadcast."""
    settings = settings._replace(duration=settings.duration * row.longer)
    command = bench_command(settings, process.url(row.purpose), row.clients, row.options)
    result, run = watched(settings, process, command)
    if result is None:
        return run
    rate = result["messages"]["received_per_second"]
    run.update(rate=rate, p50_ms=result["latency"]["p50_seconds"] * 1e3, p99_ms=result["latency"]["p99_seconds"] * 1e3)
    if rate > 0 and run["busy"] is not None:
        run["cpu_us"] = run["busy"] / rate * 1e6
    return run if rate > 0 or not run["ok"] else {**run, **failed("no message came back")}


def connect(settings, process, row):
    command = bench_command(settings, process.url(row.purpose), row.clients, row.options)
    result, run = watched(settings, process, command)
    if result is not None:
        run.update(connects=result["connections"]["connected_per_second"],
                   p99_ms=result["handshake"]["p99_seconds"] * 1e3)
    return run


def connect_speed(settings, process):
    """Clients a second that the server takes when 1,000 come at once; 0 if it does not take them."""
    url = f"ws://127.0.0.1:{process.port}{process.path(next(iter(process.paths)))}"
    command = bench_command(settings._replace(warmup=0, duration=0.1), url, 1000, ("--scenario", "idle"))
    result, run = finish(start(command), settings)
    return 1000 / result["connections"]["connect_seconds"] if result and run["ok"] else 0


def paths_of(process):
    """Those of its paths that it answers."""
    def there(purpose):
        if purpose == "publish":
            return published(process.port, process.path(purpose))
        return upgraded(process.port, process.path(purpose), compressed=purpose == "deflate")
    return {purpose: path for purpose, path in process.paths.items() if there(purpose)}


# --- Two loads at once -------------------------------------------------------------------------------------------

MIXED_TIMEOUT = 2  # seconds after the end in which messages must have come back
MIXED_CONNECT = 5  # seconds in which all clients must have connected
MIXED_LEAD = 0.7  # seconds in which those that sleep have to connect and begin, before the others are measured


def mixed(settings, process, row):
    """The latency of messages that do not sleep, while others do. Those that do sleep begin when all others are
    connected, and end after them."""
    sleepers = round(row.clients * row.share)
    sleeper_rate, rate = row.rate
    message = settings.folder / f"sleep-{row.sleep}"
    message.write_text(f"sleep {row.sleep}\n", encoding="ascii")
    offered = ("--scenario", "rate", "--timeout", f"{MIXED_TIMEOUT}s", "--rate")
    url, before = process.url(row.purpose), descriptors(process.pids)
    awake = start(bench_command(settings._replace(warmup=MIXED_LEAD), url, row.clients - sleepers, (*offered, str(rate))))
    there = clients_there(process, before + row.clients - sleepers, awake)
    longer = settings._replace(warmup=0, duration=settings.duration + MIXED_LEAD)
    asleep = start(bench_command(longer, url, sleepers,
                                 (*offered, str(sleeper_rate), "--message-file", str(message))))
    result, run = finish(awake, settings)
    sleeping, sleeping_run = finish(asleep, settings)
    if result is None or sleeping is None:
        return run if result is None else sleeping_run
    run.update(p99_ms=result["latency"]["p99_seconds"] * 1e3, p50_ms=result["latency"]["p50_seconds"] * 1e3)
    if not there or sleeping["connections"]["connect_seconds"] > MIXED_LEAD:
        return {**run, **failed("not all clients were connected in time")}
    if sleeping["latency"]["count"] and sleeping["latency"]["minimum_seconds"] * 1e3 < row.sleep:
        return {**run, **failed("a handler did not sleep")}
    return with_backlog(run, (result, sleeping), sleeping_run)


def clients_there(process, count, load):
    """True when the server has so many descriptors; false if it does not come to that while the load runs."""
    deadline = time.monotonic() + MIXED_CONNECT
    while descriptors(process.pids) < count:
        if load.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def with_backlog(run, results, sleeping_run):
    """A server that is behind has not failed: what had not come back when the time was up took longer than that."""
    awake = results[0]
    only_late = all(trouble_only(result, "missing") for result in results)
    if run["ok"] and sleeping_run["ok"]:
        return run
    if not only_late:
        return {**run, "ok": False, "why": run.get("why") or sleeping_run.get("why")}
    sent, missing = awake["messages"]["sent"], awake["messages"]["missing"]
    behind = sum(result["messages"]["missing"] for result in results)
    if missing > 0.01 * sent:
        run["p99_ms"] = max(run["p99_ms"], MIXED_TIMEOUT * 1e3)
    return {**run, "ok": True, "why": "", "behind": behind}


def trouble_only(result, name):
    return all(result[part][other] == 0 for part, names in TROUBLE.items() for other in names if other != name)


# --- Others ------------------------------------------------------------------------------------------------------

WRK_SCRIPT = 'wrk.method = "POST"\nwrk.body = "twenty bytes of text"\nwrk.headers["Content-Type"] = "text/plain"\n'
PUBLISH_WARMUP = 0.3


def publish(settings, process, row):
    """wrk beside clients that hear the channel. wrk measures whole seconds only."""
    script, seconds = settings.folder / "publish.lua", max(1, round(settings.duration))
    script.write_text(WRK_SCRIPT, encoding="ascii")
    command = ["wrk", "-t", "1", "-c", str(row.clients), "-d", f"{seconds}s", "-s", str(script), process.publish_url()]
    hearing = start(bench_command(settings._replace(duration=seconds + 1), process.url("room").replace("{room}", "0"),
                                  row.clients, ("--scenario", "idle")))
    time.sleep(PUBLISH_WARMUP)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    _, heard = finish(hearing, settings)
    answered = re.search(r"Requests/sec: *([\d.]+)", run.stdout)
    errors = re.search(r"(Non-2xx or 3xx responses: \d+|Socket errors: .*)", run.stdout)
    if run.returncode != 0 or not answered or errors:
        return failed(errors[1] if errors else f"wrk: status {run.returncode}")
    return {**heard, "publishes": float(answered[1])}


def metrics(settings, process, row):
    """Echo, while /metrics of the admin listener, if there is one, is read ten times a second."""
    reading = None
    if "publish" in process.paths:
        url = f"http://127.0.0.1:{process.admin_port}/metrics"
        reading = subprocess.Popen(["/bin/sh", "-c", f"while curl -s -o /dev/null {url}; do sleep 0.1; done"])
    try:
        return load(settings, process, row)
    finally:
        if reading:
            reading.terminate()
            reading.wait()


def many(settings, process, row):
    command = [settings.many, "--port", str(process.port), "--path", "/channels", "--channels", "1000",
               "--publishers", "4", "--window", "8", "--warmup", str(settings.warmup), "--duration", str(settings.duration)]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if not run.stdout:
        return failed(run.stderr.strip())
    result = json.loads(run.stdout)
    figures = {"rate": result["rate"], "p50_ms": result["p50_us"] / 1e3, "p99_ms": result["p99_us"] / 1e3}
    return {"ok": True, **figures} if run.returncode == 0 else {**failed(run.stdout.strip()), **figures}
