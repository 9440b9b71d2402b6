#!/usr/bin/env python3
"""Every test that docs/guarantees.md and docs/endpoints.md name is there."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUFFIXES = ("", ".test.mjs", ".c")


def find(name):
    for suffix in SUFFIXES:
        path = ROOT / "tests" / (name + suffix)
        if path.is_file():
            return path
        # Suites with many files have a folder for each subject.
        suite, _, rest = name.partition("/")
        found = sorted((ROOT / "tests" / suite).glob(f"*/{rest}{suffix}")) if rest else []
        if found:
            return found[0]
    return ROOT / "tests" / name if (ROOT / "tests" / name).is_dir() else None


def names_of(text):
    """'…: one, two': names are split at commas, but may hold some themselves."""
    return [name.strip(" ;") for name in re.split(r", (?=[a-z])", text.strip(" :;"))]


def missing_in_guarantees():
    text = (ROOT / "docs/guarantees.md").read_text()
    for row in re.findall(r"^\|[^|]+\|([^|]+)\|$", text, re.M):
        for file, tests in re.findall(r"`([^`]+)`:?([^`;]*)", row):
            path = find(file)
            if path is None:
                yield f"docs/guarantees.md: tests/{file} is not there"
                continue
            source = path.read_text()
            names = names_of(tests) if tests.strip() else []
            # A name with commas in it comes in pieces: each of them must be there.
            yield from (f"docs/guarantees.md: {file} has no test '{name}'" for name in names
                        if name not in source and name not in generated(source))


def generated(source):
    """Names made from templates: `i40_${what}_costs…` stands for its table's entries."""
    found = []
    for name in re.findall(r"test\(`([^`]*\$\{[^`]*)`", source):
        parts = re.split(r"\$\{[^}]*\}", name)
        found += [parts[0] + entry.replace(" ", "_") + parts[-1]
                  for entry in re.findall(r"\['([^']+)'", source)]
    return found


def missing_in_endpoints():
    text = (ROOT / "docs/endpoints.md").read_text()
    for row in re.findall(r"^\|[^|]+\|([^|]+)\|$", text, re.M):
        for file in re.findall(r"`([^`]+)`", row):
            if file != "tests/" and find(file) is None:
                yield f"docs/endpoints.md: tests/{file} is not there"


faults = list(missing_in_guarantees()) + list(missing_in_endpoints())
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
