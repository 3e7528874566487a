"""report - docs/conformance.md: a row for each rule, with the names of its cases and how many of them passed.

SPDX-License-Identifier: MIT
"""

HEAD = """# Conformance

The requirements (MUST) of RFC 6455 and RFC 7692 that can be checked from outside, and those of HTTP (RFC 9110,
RFC 9112) that concern a handshake. Each case runs over a raw socket against the real binary; after each, another
client must still get its echo. `tests/conformance/run --write` wrote this page with {version}: {passed} of {total} cases
passed. A run without `--write` fails if this page does not name exactly the cases that ran.

| RFC | Section | Rule | Cases | Passed |
|---|---|---|---|---|
"""


def escape(text):
    return text.replace("|", "\\|").replace("*", "\\*")


def row(rule):
    """The row of a rule, without the result."""
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
    """The rows of the page without a rule that ran, and the rules without a row, as lines."""
    rows = [line.rsplit("|", 2)[0] + "|" for line in text.splitlines() if line.startswith("| ")][1:]
    expected = [row(rule) for rule in rules]
    return [line for line in expected if line not in rows] + [line for line in rows if line not in expected]
