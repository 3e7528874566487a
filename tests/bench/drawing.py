"""drawing - horizontal bars as SVG: groups of them, each bar with its name and its figure. Either all share a
logarithmic axis, or each group has a linear one of its own that ends with its longest bar. Colours suit a dark page and
a light one; there is no script, and no font of its own.

SPDX-License-Identifier: MIT
"""

import math
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, NAME_WIDTH, FIGURE_WIDTH = 760, 130, 120
BAR, BAR_STEP, GROUP_HEAD, GROUP_GAP, TOP, BOTTOM = 12, 17, 20, 12, 34, 28
PLOT = WIDTH - NAME_WIDTH - FIGURE_WIDTH

STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 }
.note { fill: #656d76 }
.bar { fill: #9aa4af }
.weir { fill: #0969da }
.axis { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .bar { fill: #656d76 }
  .weir { fill: #4493f8 }
  .axis { stroke: #3d444d }
}"""


class Bar(NamedTuple):
    name: str
    value: float  # above 0
    label: str
    ours: bool


class Linear:
    """From values to lengths; the bars' labels are all the scale there is."""

    def __init__(self, values):
        self.high = max(values)

    def length(self, value):
        return value / self.high * PLOT


class Logarithmic:
    """From a power of ten below the smallest value to one above the largest."""

    def __init__(self, values):
        self.first = math.floor(math.log10(min(values)) - 0.01)
        self.last = math.ceil(math.log10(max(values)) + 0.01)

    def length(self, value):
        return (math.log10(value) - self.first) / (self.last - self.first) * PLOT

    def ticks(self):
        return [10.0 ** exponent for exponent in range(self.first, self.last + 1)]


def bars(title, groups, logarithmic=False, unit=""):
    """groups: [(title, [Bar])]. None if there is nothing to draw."""
    groups = [(name, members) for name, members in groups if members]
    if not groups:
        return None
    shared = Logarithmic([bar.value for _, members in groups for bar in members]) if logarithmic else None
    shapes, y = [], TOP
    for name, members in groups:
        axis = shared or Linear([bar.value for bar in members])
        shapes.append(text(0, y + 12, name, "group"))
        y += GROUP_HEAD
        for bar in members:
            shapes.append(shape(bar, axis, y))
            y += BAR_STEP
        y += GROUP_GAP
    return document(title, y + (BOTTOM if shared else 0), (lines(shared, y, unit) if shared else []) + shapes)


def shape(bar, axis, y):
    length = max(1, axis.length(bar.value))
    kind = "weir" if bar.ours else "bar"
    return (text(NAME_WIDTH - 8, y + 10, bar.name, anchor="end")
            + f'<rect class="{kind}" x="{NAME_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR}"/>'
            + text(NAME_WIDTH + length + 6, y + 10, bar.label))


def lines(axis, bottom, unit):
    """Across the bars, one for each power of ten."""
    shapes = []
    for value in axis.ticks():
        x = NAME_WIDTH + axis.length(value)
        shapes.append(f'<line class="axis" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>'
                      + text(x, bottom + 16, f"{value:,g} {unit}", "note", "middle"))
    return shapes


def text(x, y, content, kind="", anchor=""):
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}{anchor}>{escape(content)}</text>'


def document(title, height, shapes):
    body = "\n".join([text(0, 18, title, "title"), *shapes])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img">\n<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n{body}\n</svg>\n')
