"""figures - what the raw runs of all rounds come to: medians, spreads, ratios within a round.

SPDX-License-Identifier: MIT
"""

import statistics
from typing import NamedTuple


class Spread(NamedTuple):
    median: float
    lowest: float
    highest: float


def spread(values):
    return Spread(statistics.median(values), min(values), max(values)) if values else None


class Figures:
    """The raw results of `run --json`, asked by row, server and metric. A row in which one run of a server failed has
    no figures of that server."""

    def __init__(self, raw):
        self.raw, self.results, self.reasons = raw, raw["results"], raw["reasons"]

    def runs(self, row, server):
        return self.results.get(row, {}).get(server, [])

    def failure(self, row, server):
        """Why a run failed, and how many did; None if none did."""
        bad = [run for run in self.runs(row, server) if not run["ok"]]
        return f"{len(bad)} of {len(self.runs(row, server))} failed: {bad[0]['why']}" if bad else None

    def values(self, row, server, metric):
        if self.failure(row, server):
            return []
        return [run[metric] for run in self.runs(row, server) if run.get(metric) is not None]

    def of(self, row, server, metric):
        return spread(self.values(row, server, metric))

    def ratio(self, row, metric, mine, other):
        """mine / other, each within its round."""
        if self.failure(row, mine) or self.failure(row, other):
            return None
        pairs = [(one.get(metric), two.get(metric)) for one, two in zip(self.runs(row, mine), self.runs(row, other))]
        return spread([one / two for one, two in pairs if one is not None and two])

    def any_failed(self):
        return any(not run["ok"] for row in self.results.values() for runs in row.values() for run in runs)
