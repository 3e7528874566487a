"""test_log_page - docs/log.md lists exactly the events and fields that the source logs.

SPDX-License-Identifier: MIT
"""

import re
import unittest

from weir_process import ROOT

PAGE = (ROOT / "docs/log.md").read_text()
SOURCES = sorted((ROOT / "server").rglob("*.c"))
CALL = re.compile(r"\blog_(?:event|event_limited|last_event|line_make)\(")
ALWAYS = {"time", "level", "event", "suppressed", "truncated"}


def arguments(text, start):
    """The text from `start` to the closing parenthesis of the one opened before `start`."""
    depth, end = 1, start
    while depth > 0:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]


def logged():
    """{(event, subsystem): (levels, fields)} of all log calls."""
    found = {("log_dropped", "server"): ({"warning"}, {"count"})}  # log_queue.c makes that line itself
    for source in SOURCES:
        text = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.DOTALL)
        for call in CALL.finditer(text):
            inside = arguments(text, call.end())
            event = re.match(r'[^"]*"([a-z_]+)"', inside.split("LOG_FIELDS")[0])
            if event is None:
                if source.parent.name != "log":
                    raise AssertionError(f"{source}: an event without a name: {inside}")
                continue
            before = inside.split("LOG_FIELDS")[0]
            subsystem = re.search("LOG_(SERVER|HTTP|CONN|ACCESS)", before)
            levels = re.findall("LOG_(ERROR|WARNING|INFO|DEBUG)", before) or ["ERROR"]  # that of log_last_event()
            key = event[1], subsystem[1].lower() if subsystem else "server"
            fields = re.findall(r'LOG_(?:TEXT|NUMBER|COUNT|BOOLEAN)\(\s*"([a-z_]+)"', inside)
            all_levels, all_fields = found.setdefault(key, (set(), set()))
            all_levels.update(level.lower() for level in levels)
            all_fields.update(fields)
    return found


def rows(heading):
    """The rows of the table after this heading, without its head."""
    table = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell):
    return set(re.findall("`([a-z_]+)`", cell))


class LogPage(unittest.TestCase):
    maxDiff = None

    def test_page_has_every_event_of_the_source(self):
        page = {}
        for event, subsystem, levels, when, fields in rows("Events"):
            self.assertNotEqual(when, "", event)
            key = event.strip("`"), subsystem
            self.assertNotIn(key, page, "twice")
            page[key] = set(levels.split(", ")), names(fields)
        source = logged()
        self.assertGreater(len(source), 20)
        self.assertEqual(sorted(page), sorted(source))
        for key, expected in source.items():
            with self.subTest(key):
                self.assertEqual(page[key], expected)

    def test_page_has_every_field_of_the_source(self):
        page = [name for field, _ in rows("Fields") for name in sorted(names(field))]
        self.assertEqual(len(page), len(set(page)))
        self.assertEqual(set(page), ALWAYS.union(*(fields for _, fields in logged().values())))

    def test_other_pages_name_only_existing_events(self):
        events = {event for event, _ in logged()}
        for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "conf/weir.ini"]:
            for event in re.findall(r"event=([a-z_]+)", page.read_text()):
                with self.subTest(page=page.name, event=event):
                    self.assertIn(event, events)


if __name__ == "__main__":
    unittest.main()
