"""goals - what weir is to reach, and whether the figures say that it did.

A ratio is weir's figure by that of another server, each within its round; its median counts. REFERENCES are asked in
turn: the first one that was measured in the row is what weir is compared with.

SPDX-License-Identifier: MIT
"""

from typing import NamedTuple

from rows import METRICS, ROWS

FLOOR = "floor"
REFERENCES = ("uWebSockets", FLOOR)
WEIR = "weir"


class Goal(NamedTuple):
    row: str
    metric: str
    limit: float
    others: tuple = REFERENCES  # none: the figure itself counts, not a ratio
    at_least: bool = True

    @property
    def title(self):
        row = next(row for row in ROWS if row.name == self.row)
        group = {"echo": "echo", "sizes": "echo", "own": "echo"}.get(row.group, row.group)
        return f"{TITLES.get(self.row, f'{group}, {row.title}')}{METRIC_TITLES.get(self.metric, '')}"


class Outcome(NamedTuple):
    goal: Goal
    other: str  # "" if none is needed
    reached: object  # Spread, or None
    kept: object  # True, False, or None: not measured
    failure: str = ""
    floor: object = None  # Spread: the floor's ratio to the same server, where both were measured


METRIC_TITLES = {"p99_ms": ": p99", "memory_kb": ": memory per client", "idle_cpu": ": processor time"}
TITLES = {"mixed-10x10": "10 % of the messages sleep 10 ms, the others", "metrics": "metrics read, compared with none",
          "connect": "connect storm", "idle": "10,000 idle clients"}
BROADCASTS = [row.name for row in ROWS if row.group == "broadcast"]
PEERS_AHEAD = {"libwebsockets": 1.3, "ws": 1.9, "websockets": 9}

GOALS = [
    Goal("echo-1", "rate", 1.15),
    *(Goal(f"echo-{clients}", "rate", 1) for clients in (100, 1000, 10000)),
    *(Goal(f"echo-{clients}", "p99_ms", 1, at_least=False) for clients in (100, 1000, 10000)),
    Goal("window", "rate", 1),
    *(Goal(f"size-{size}", "rate", 1) for size in (1024, 65536, 1048576)),
    *(Goal(name, "rate", 1.2 if name.startswith("broadcast-10000-") else 1) for name in BROADCASTS),
    Goal("connect", "connects", 1),
    Goal("idle", "memory_kb", 0.6, (), at_least=False),
    Goal("idle", "idle_cpu", 1, (), at_least=False),
    Goal("mixed-10x10", "p99_ms", 5, (), at_least=False),
    *(Goal("echo-1", "rate", 1, (peer,)) for peer in PEERS_AHEAD),
    *(Goal(f"echo-{clients}", "rate", limit, (peer,))
      for peer, limit in PEERS_AHEAD.items() for clients in (100, 1000, 10000)),
    Goal("metrics", "rate", 0.98, ("weir-bare",)),
]


def outcomes(figures):
    """One of each goal."""
    return [outcome(figures, goal) for goal in GOALS]


def outcome(figures, goal):
    other = next((name for name in goal.others if figures.runs(goal.row, name)), "")
    if not figures.runs(goal.row, WEIR) or (goal.others and not other):
        return Outcome(goal, other or ", ".join(goal.others[-1:]), None, None)
    failure = figures.failure(goal.row, WEIR) or (other and figures.failure(goal.row, other))
    if failure:
        return Outcome(goal, other, None, False, failure)
    reached = figures.ratio(goal.row, goal.metric, WEIR, other) if other else figures.of(goal.row, WEIR, goal.metric)
    if reached is None:
        return Outcome(goal, other, None, None)
    kept = reached.median >= goal.limit if goal.at_least else reached.median <= goal.limit
    return Outcome(goal, other, reached, kept, floor=floor_beside(figures, goal, other))


def floor_beside(figures, goal, other):
    if other in ("", FLOOR) or figures.failure(goal.row, FLOOR) or not figures.runs(goal.row, FLOOR):
        return None
    return figures.ratio(goal.row, goal.metric, FLOOR, other)


def unit(goal):
    return "" if goal.others else f" {METRICS[goal.metric].unit}"
