"""report - docs/conformance.md: a row for each rule, with the names of its cases and how many of them passed.

SPDX-License-Identifier: MIT
"""

HEAD = """# Conformance

What can be seen from outside of the MUSTs of RFC 6455 and RFC 7692, and of those of HTTP (RFC 9110, RFC 9112) that
concern a handshake, case by case, over raw sockets, against the real binary. After each case another client must still get its echo. Written by `tests/conformance/run --write`
against {version}: {passed} of {total} cases passed. A run without `--write` fails if this page does not name exactly
the cases that ran.

| RFC | Section | Rule | Cases | Passed |
|---|---|---|---|---|
"""


def escape(text):
    return text.replace("|", "\\|").replace("*", "\\*")


def row(rule):
    """What a rule's row says, up to the result."""
    return f"| {rule.rfc} | {rule.section} | {escape(rule.text)} | {escape(' · '.join(rule.cases))} |"


def result(rule, passed):
    bad = [name for name in rule.cases if (rule.text, name) not in passed]
    missing = f"; not: {escape(' · '.join(bad))}" if bad else ""
    return f"{len(rule.cases) - len(bad)} of {len(rule.cases)}{missing}"


def page(rules, passed, version):
    """The whole page. `passed`: the (rule text, case name) pairs that passed."""
    total = sum(len(rule.cases) for rule in rules)
    rows = "".join(f"{row(rule)} {result(rule, passed)} |\n" for rule in rules)
    return HEAD.format(version=version, passed=len(passed), total=total) + rows


def differences(rules, text):
    """What the page names and did not run, or the other way round, as lines."""
    rows = [line.rsplit("|", 2)[0] + "|" for line in text.splitlines() if line.startswith("| ")][1:]
    expected = [row(rule) for rule in rules]
    return [line for line in expected if line not in rows] + [line for line in rows if line not in expected]
