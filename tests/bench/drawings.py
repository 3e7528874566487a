"""drawings - which figures are drawn, and how: one SVG for a group of rows.

SPDX-License-Identifier: MIT
"""

from drawing import Bar, bars
from rows import METRICS, ROWS

WEIR = "weir"


def write(figures, folder):
    """Writes what can be drawn. Returns {group: [file names]}; drawings of which there are no figures are removed, so
    that none is left from another run."""
    drawn = {}
    for group, name, make in DRAWINGS:
        content = make(figures)
        path = folder / name
        if content is None:
            path.unlink(missing_ok=True)
            continue
        path.write_text(content, encoding="utf-8")
        drawn.setdefault(group, []).append(name)
    return drawn


def of_group(figures, group, metric, title, logarithmic=False, scale=None, digits=None):
    """One group of bars for each row; `scale` makes what is drawn of a figure."""
    digits = METRICS[metric].digits if digits is None else digits
    groups = [(row.title, row_bars(figures, row, metric, digits, scale)) for row in ROWS if row.group == group]
    return bars(title, groups, logarithmic, METRICS[metric].unit)


def row_bars(figures, row, metric, digits, scale):
    drawn = []
    for server in (server["name"] for server in figures.raw["servers"]):
        spread = figures.of(row.name, server, metric)
        if spread is None:
            continue
        value = scale(row, spread.median) if scale else spread.median
        if value > 0:
            drawn.append(Bar(server, value, f"{value:,.{digits}f}", server == WEIR))
    return drawn


def megabytes(row, rate):
    return rate * row.size / 1e6


DRAWINGS = [
    ("echo", "echo.svg", lambda figures: of_group(figures, "echo", "rate", "Echo: messages per second")),
    ("sizes", "sizes.svg", lambda figures: of_group(
        figures, "sizes", "rate", "Echo of larger messages: MB of payload per second, each way", scale=megabytes)),
    ("broadcast", "broadcast.svg", lambda figures: of_group(
        figures, "broadcast", "rate", "Broadcast: deliveries per second")),
    ("mixed", "mixed.svg", lambda figures: of_group(
        figures, "mixed", "p99_ms", "Others while some handlers block: p99, logarithmic, shorter is better",
        logarithmic=True)),
    ("idle", "memory.svg", lambda figures: of_group(
        figures, "idle", "memory_kb", "Memory of the server per idle client, kB, shorter is better")),
]
