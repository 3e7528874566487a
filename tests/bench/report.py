"""report - docs/benchmarks.md: what was measured, on what, what came out, and what it means.

SPDX-License-Identifier: MIT
"""

import drawings
import goals
from rounds import SLOWEST
from rows import GROUPS, METRICS, ROWS

WEIR = "weir"
MORE_METRICS = {"echo": ("p99_ms", "cpu_us"), "sizes": ("p99_ms", "cpu_us"), "broadcast": ("p99_ms", "cpu_us"),
                "idle": ("kernel_kb", "idle_cpu"), "connect": (), "publish": (), "mixed": (), "start": (), "own": ()}

INTRODUCTION = """\
# Benchmarks

weir and its peers, each driven by `weir bench` on one machine. Runs are interleaved: in every round, each row is measured on
each server, in an order that shifts from round to round. `make bench` repeats the measurements with the servers that are
installed, and writes this page. Measured on {date}: {count}, {duration:g} s for each run after {warmup:g} s of warm-up.

| | |
|---|---|
| processor | {processor}, {processors} of them |
| memory | {memory_gib:g} GiB |
| system | {system}, {kernel} |
| compiler | {compiler} |
"""

READING = """\
## How to read it

Figures are medians over the rounds. Brackets show the lowest and the highest. A ratio divides weir's figure by the other
server's figure from the same round, nearest in time, so a temporary slowdown of the machine affects both. The table shows
the median of these ratios. **×1.20** below another server's figure means that weir did 1.2 times as much. Where the
brackets include ×1, the two servers can hardly be told apart.

A run counts only if every client connected and stayed connected, and every message came back once, in order and
unchanged. Any other run is shown as failed, and the row then has no figure for that server.

Server and load program share the machine's {processors} processors, so a rate depends on both: a server that needs less
processor time leaves more to the load program. If the load program is the limit (its thread was busy for more than 95 % of
the time, marked \\*), fast servers look more alike than they are, and the processor time per message says more. A server
with several threads gains if the load program leaves processors free, and must share them otherwise. These figures say
nothing about a network or a larger machine.
"""

RERUN = """\
## Measure again

    make bench                                    # all of it, about half an hour; ROUNDS=1 is a first look
    tests/bench/run --rows echo,connect --peers floor,ws --json raw.json --output /tmp/bench
    tests/bench/run --report raw.json             # only write this page again, from raw figures
    tests/bench/run --peer 'NAME=COMMAND {port}' --peer-version NAME=TEXT

`make bench` installs nothing. It skips peers that are not installed, and names them. The known peers need the Debian
packages libwebsockets-dev, node-ws, python3-websockets, python3-uvloop and libnginx-mod-nchan. Publishing by HTTP is
measured with wrk. The sources of the peers are in `tests/bench/peers/`. You can name any other server on the command line if
it has some of the paths that `tests/bench/servers.py` lists; the program asks the server which. Run nothing else on the
machine meanwhile.
"""


def write(figures, folder):
    """Writes the page, and the drawings into a folder beside it."""
    (folder / "benchmarks").mkdir(parents=True, exist_ok=True)
    drawn = drawings.write(figures, folder / "benchmarks")
    (folder / "benchmarks.md").write_text(page(figures, drawn), encoding="utf-8")


def page(figures, drawn):
    raw = figures.raw
    rounds = raw["settings"]["rounds"]
    count = f"{rounds} round{'s' if rounds > 1 else ''}"
    parts = [INTRODUCTION.format(count=count, **raw["machine"], **raw["settings"]), "## Goals\n", goal_table(figures), "## Servers\n",
             server_table(raw), READING.format(**raw["machine"])]
    for group in GROUPS:
        parts += section(figures, group, drawn)
    return "\n".join(parts + [RERUN])


def table(rows, left=1):
    """Markdown; the first row has the titles, the first `left` columns are text."""
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    lines.insert(1, "|" + "---|" * left + "---:|" * (len(rows[0]) - left))
    return "\n".join(lines) + "\n"


# --- Goals and servers -------------------------------------------------------------------------------------------

FLOOR_TEXT = """
The last column is the floor's ratio to the same server: the result of a program that only receives and sends. If it is
near the goal or misses it, the limit here is the kernel and the load program, not the server.
"""


def goal_table(figures):
    rows = [["", "goal", "compared with", "reached", "", "the floor"]]
    for outcome in goals.outcomes(figures):
        goal = outcome.goal
        sign = "at least" if goal.at_least else "at most"
        limit = f"{sign} {'×' if goal.others else ''}{goal.limit:g}{goals.unit(goal)}"
        rows.append([goal.title, limit, outcome.other, reached_text(outcome), verdict(outcome), floor_text(outcome)])
    return table(rows, left=3) + FLOOR_TEXT


def reached_text(outcome):
    if outcome.reached is None:
        return outcome.failure or "not measured"
    sign = "×" if outcome.goal.others else ""
    return f"{sign}{outcome.reached.median:.3f} ({outcome.reached.lowest:.3f}..{outcome.reached.highest:.3f})"


def floor_text(outcome):
    return f"×{outcome.floor.median:.3f}" if outcome.floor else ""


def verdict(outcome):
    return {True: "yes", False: "**no**", None: "-"}[outcome.kept]


def server_table(raw):
    rows = [["server", "what it is", "version"]]
    for server in raw["servers"]:
        note = f"; {server['note']}" if server["note"] else ""
        version = f"skipped: {server['missing']}" if server["missing"] else " ".join(server["version"].split())
        rows.append([server["name"], server["kind"] + note, version])
    return table(rows, left=3)


# --- Groups of rows ----------------------------------------------------------------------------------------------

def section(figures, group, drawn):
    """The parts of one heading; none if nothing of it was measured."""
    rows = [row for row in ROWS if row.group == group.name and figures.results.get(row.name)]
    if not rows:
        return []
    servers = [server["name"] for server in figures.raw["servers"]
               if any(figures.runs(row.name, server["name"]) for row in rows)]
    parts = [f"## {group.title}\n", f"{group.text}{fewer_rounds(figures, rows)}\n"]
    parts += [f"![{group.title}](benchmarks/{name})\n" for name in drawn.get(group.name, ())]
    for metric in (group.metric, *MORE_METRICS[group.name]):
        parts += [f"{sentence(METRICS[metric])}\n", metric_table(figures, rows, servers, metric, metric == group.metric)]
    return parts + [notes(figures, rows)]


def sentence(metric):
    unit = "" if metric.unit == "/s" else f", {metric.unit}"
    return f"{metric.title[0].upper()}{metric.title[1:]}{unit}:"


def fewer_rounds(figures, rows):
    counts = {row.rounds for row in rows if row.rounds and row.rounds < figures.raw["settings"]["rounds"]}
    return f" Only {', '.join(map(str, counts))} rounds, because they take long." if counts else ""


def metric_table(figures, rows, servers, metric, with_ratios):
    lines = [["", *servers]]
    for row in rows:
        lines.append([row.title, *(cell(figures, row.name, server, metric, with_ratios) for server in servers)])
    return table(lines)


def cell(figures, row, server, metric, with_ratio):
    if figures.failure(row, server):
        return "**failed**"
    spread = figures.of(row, server, metric)
    if spread is None:
        return "-"
    digits = METRICS[metric].digits
    text = f"{spread.median:,.{digits}f}{marks(figures, row, server)}"
    if METRICS[metric].higher_is_better and server != WEIR and with_ratio:
        ratio = figures.ratio(row, metric, WEIR, server)
        return text + (f"<br>×{ratio.median:.2f} ({ratio.lowest:.2f}..{ratio.highest:.2f})" if ratio else "")
    if with_ratio:
        return f"{text}<br>({spread.lowest:,.{digits}f}..{spread.highest:,.{digits}f})"
    return text


def marks(figures, row, server):
    """* the load program was the limit, † the server was behind with its messages at the end."""
    busy = figures.of(row, server, "load_busy")
    behind = any(run.get("behind") for run in figures.runs(row, server))
    return ("\\*" if busy and busy.median > 0.95 else "") + ("†" if behind else "")


def notes(figures, rows):
    """What is behind cells without a figure."""
    lines = {}
    for row in rows:
        for server, reason in figures.reasons.get(row.name, {}).items():
            if reason.startswith("connects"):
                lines[f"{server} {reason}; those with fewer than {SLOWEST:,} are left out of rows with 10,000."] = None
        for server in figures.results[row.name]:
            if figures.failure(row.name, server):
                lines[f"{row.title}, {server}: {figures.failure(row.name, server)}."] = None
            if any(run.get("behind") for run in figures.runs(row.name, server)):
                lines["†: 2 s after the last message was sent, some had not come back; if more than 1 % of those that "
                      "did not sleep were missing, the figure is a lower bound."] = None
    return "".join(f"- {line}\n" for line in lines)
