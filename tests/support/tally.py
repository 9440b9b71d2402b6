#!/usr/bin/env python3
"""Adds up what the runners left in a folder and prints the closing line of `make test`.

    tally.py RESULTS SKIPS

RESULTS holds <label>.xml (ctest's JUnit with cmocka's TAP inside), <suite>.tap (node --test),
<suite>.failed (node ended badly), arch.<name>.out and .exit. Exit 0 when nothing failed, every
skip has its reason and at least one test ran.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

LINE = re.compile(r"^\s*(?P<not>not )?ok \d+(?P<rest>.*)$")
DIRECTIVE = re.compile(r"#\s*(?P<kind>SKIP|TODO)\b(?P<reason>.*)$", re.IGNORECASE)


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, name, verdict):
        {"pass": self.passed, "fail": self.failed, "skip": self.skipped}[verdict].append(name)


def read_line(match):
    """One TAP line → (name, verdict). cmocka puts the name of a skipped test behind SKIP."""
    rest = match["rest"]
    directive = DIRECTIVE.search(rest)
    name = rest[: directive.start()] if directive else rest
    name = name.strip().lstrip("-").strip()
    if not directive:
        return name, "fail" if match["not"] else "pass"
    return name or directive["reason"].strip(), "skip"


def tap_cases(text):
    return [read_line(match) for match in map(LINE.match, text.splitlines()) if match]


def node_cases(text):
    """Leaves only: a suite or a file repeats the verdicts of what it holds."""
    lines = text.splitlines()
    cases = []
    for index, line in enumerate(lines):
        match = LINE.match(line)
        if not match:
            continue
        indent = len(line) - len(line.lstrip())
        block = []
        for following in lines[index + 1:]:
            if following.strip() == "...":
                break
            block.append(following.strip())
        children = indent_above(lines, index, indent)
        if "type: 'suite'" not in block and not children:
            cases.append(read_line(match))
    return cases


def indent_above(lines, index, indent):
    """True when the line before this verdict is the plan of its own subtests."""
    for line in reversed(lines[max(0, index - 1):index]):
        return re.match(r"^\s{%d}1\.\.\d+$" % (indent + 4), line) is not None
    return False


def add_ctest(tally, path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        output = case.findtext("system-out") or ""
        cases = tap_cases(output)
        broken = case.get("status") not in ("run", None)
        for claim, verdict in cases:
            tally.add(f"{name}: {claim}", verdict)
        if broken and not any(verdict == "fail" for _, verdict in cases):
            tally.add(f"{name}: ended badly", "fail")
        elif not cases and not broken:
            tally.add(name, "pass")


def add_python(tally, path):
    name = path.name[: -len(".exit")]
    status = path.read_text().strip()
    output = path.with_suffix(".out").read_text(errors="replace")
    cases = tap_cases(output)
    for claim, verdict in cases:
        tally.add(f"{name}: {claim}", verdict)
    if status != "0" and not any(verdict == "fail" for _, verdict in cases):
        tally.add(f"{name}: ended with {status}", "fail")
    elif status == "0" and not cases:
        tally.add(name, "pass")
    if status != "0":
        print(output)


def read_skips(path):
    skips = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.rpartition(": ")
            if name and reason.strip():
                skips[name.strip()] = reason.strip()
    return skips


def main():
    results, skips = pathlib.Path(sys.argv[1]), read_skips(pathlib.Path(sys.argv[2]))
    tally = Tally()
    for path in sorted(results.glob("*.xml")):
        add_ctest(tally, path)
    for path in sorted(results.glob("*.tap")):
        cases = node_cases(path.read_text(errors="replace"))
        for claim, verdict in cases:
            tally.add(f"{path.stem}: {claim}", verdict)
        failed = any(verdict == "fail" for _, verdict in cases)
        if (results / f"{path.stem}.failed").exists() and not failed:
            tally.add(f"{path.stem}: the runner ended badly", "fail")
    for path in sorted(results.glob("*.failed")):
        if not path.with_suffix(".tap").exists():
            tally.add(f"{path.stem}: the runner did not start", "fail")
    for path in sorted(results.glob("arch.*.exit")):
        add_python(tally, path)

    unexplained = [name for name in tally.skipped if name not in skips]
    for name in tally.failed:
        print(f"failed: {name}")
    for name in tally.skipped:
        print(f"skipped: {name}: {skips.get(name, 'NO REASON in tests/skips.txt')}")
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed or unexplained or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
