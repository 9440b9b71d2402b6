#!/usr/bin/env python3
"""The schema's files: one line of migrations, one body for each function, and each in its place."""

import collections
import pathlib
import re
import sys

from layers import ROOT, tell

MIGRATIONS = sorted((ROOT / "schema/migrations").iterdir())
FUNCTIONS = sorted((ROOT / "schema/functions").iterdir())
# Up to here migrations defined functions themselves; they have been released and keep every byte.
LAST_WITH_BODIES = 50

NAME = re.compile(r"^(\d{4})_(?:pack_)?[a-z][a-z0-9_]*\.sql$")
DEFINES = re.compile(r"^\s*create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+([\w.]+)", flags=re.M | re.I)
NEEDS = re.compile(r"\A(?:--[^\n]*\n)*?-- functions: ([^\n]*)\n")
# What a file of functions may hold beside them: who may call them.
OUTSIDE_BODIES = re.compile(r"^\s*(?!create or replace function\b|revoke\b|grant\b)\w+\s", flags=re.I)


def text(path):
    return path.read_text(encoding="utf-8")


def number(path):
    return int(path.name[:4])


def names_without_order():
    for path in MIGRATIONS:
        if not NAME.match(path.name):
            yield f"{path.name} is not NNNN_name.sql"
    numbers = [path.name[:4] for path in MIGRATIONS]
    for place, (own, path) in enumerate(zip(numbers, MIGRATIONS), 1):
        if own != f"{place:04d}":
            yield f"{path.name} is number {place}"


def bodies_in_migrations():
    for path in MIGRATIONS:
        if number(path) > LAST_WITH_BODIES:
            for name in DEFINES.findall(text(path)):
                yield f"{path.name} defines {name}: its place is schema/functions"


def homes():
    found = collections.defaultdict(list)
    for path in FUNCTIONS:
        for name in DEFINES.findall(text(path)):
            found[name].append(path.name)
    return found


def functions_defined_twice():
    for name, files in homes().items():
        if len(files) > 1:
            yield f"{name} is defined in {', '.join(files)}"


def functions_without_a_home():
    found = homes()
    for path in MIGRATIONS:
        for name in DEFINES.findall(text(path)):
            if name not in found and not name.startswith("pg_temp."):
                yield f"{name} of {path.name} is in no file of schema/functions"


def other_statements():
    for path in FUNCTIONS:
        # Bodies are between dollar quotes, or begin atomic … end;
        code = re.sub(r"(\$\w*\$).*?\1", "", text(path), flags=re.S)
        code = re.sub(r"begin atomic.*?^end;", ";", code, flags=re.S | re.M)
        code = re.sub(r"--[^\n]*", "", code)
        for statement in code.split(";"):
            if OUTSIDE_BODIES.match(statement):
                yield f"{path.name}: {' '.join(statement.split())[:60]}"


def needs_unsaid():
    """On a new database a function is as an old migration left it until its file is applied."""
    known = homes()
    for path in MIGRATIONS:
        found = NEEDS.match(text(path))
        said = found.group(1).split() if found else []
        code = re.sub(r"--[^\n]*", "", text(path))
        for name in sorted(set(re.findall(r"\bspark\.\w+(?=\()", code))):
            if number(path) > LAST_WITH_BODIES and name in known and known[name][0].removesuffix(".sql") not in said:
                yield f"{path.name} calls {name} without '-- functions: {known[name][0].removesuffix('.sql')}'"


def needs_that_are_not_there():
    known = {path.stem: path for path in FUNCTIONS}
    for path in MIGRATIONS:
        found = NEEDS.match(text(path))
        for stem in found.group(1).split() if found else ():
            if stem not in known:
                yield f"{path.name} needs schema/functions/{stem}.sql"
            elif stem.startswith("pack_") and "_pack_" not in path.name:
                yield f"{path.name} needs {stem}, which is the pack's"


CLAIMS = {
    "the_names_of_migrations_are_their_order": names_without_order,
    "no_new_migration_defines_a_function": bodies_in_migrations,
    "each_function_is_defined_once": functions_defined_twice,
    "each_function_of_a_migration_has_its_latest_body": functions_without_a_home,
    "files_of_functions_hold_nothing_else": other_statements,
    "a_migration_says_which_functions_it_needs": needs_unsaid,
    "functions_that_a_migration_needs_exist": needs_that_are_not_there,
}


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
