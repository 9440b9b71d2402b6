#!/usr/bin/env python3
"""Writes docs/compatibility.md from docs/compatibility.def and the routes.

Whether a route exists is read from server/api/<family>/routes.def; what the table says of a missing one is why. A test
that a row names must exist. With --check nothing is written: it fails when the page is not what the tables say.
"""

import pathlib
import re
import sys

from gen_reference import table
from route_table import Mistake, read_families, split, unquote

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "compatibility.def"
TARGET = ROOT / "docs" / "compatibility.md"

STATES = {"YES": "yes", "PARTLY": "partly", "NO": "no"}
HEAD = """# Compatibility with Directus 11

What Directus 11.17.4 offers over HTTP, whether Spark answers it, and the test that says so. `make test-peer` asks both the
same and compares the answers; `tests/peer/accepted.mjs` lists the differences that are meant.

*Written by `make docs` from `docs/compatibility.def` and the tables of routes.*
"""


def anonymous(pattern):
    """Without the names of parameters: /roles/:pk is /roles/:id."""
    return re.sub(r":\w+\??", ":", pattern)


def existing_routes():
    return {(route.method, anonymous(route.pattern)) for family in read_families() for route in family.routes}


def check_test(test, where):
    if test and not (ROOT / test).exists():
        raise Mistake(f"{where}: there is no {test}")
    return f"[{pathlib.PurePath(test).name}](../{test})" if test else ""


def path_lines(section, parts, routes, where):
    methods, pattern, test, why = parts
    for method in methods.split():
        exists = (method, anonymous(pattern)) in routes
        if exists and why:
            raise Mistake(f"{where}: {method} {pattern} exists: there is nothing to explain")
        if not exists and not why:
            raise Mistake(f"{where}: {method} {pattern} is missing: say why")
        shown = check_test(test or section[1], where) if exists else ""
        yield [f"{method} `{pattern}`", "yes" if exists else "no", shown, why]


def read():
    routes, sections = existing_routes(), []
    for number, line in enumerate(SOURCE.read_text(encoding="utf-8").splitlines(), 1):
        match = re.fullmatch(r"(SECTION|PATH|FEATURE)\((.*)\)", line.strip())
        if match is None:
            continue
        where = f"{SOURCE.relative_to(ROOT)}:{number}"
        parts = [part if part in STATES else unquote(part, where) for part in split(match[2])]
        if match[1] == "SECTION":
            sections.append((parts[0], parts[1], []))
        elif match[1] == "PATH":
            sections[-1][2].extend(path_lines(sections[-1], parts, routes, where))
        else:
            name, state, test, note = parts
            sections[-1][2].append([name, STATES[state], check_test(test or sections[-1][1], where), note])
    return sections


def page():
    out = [HEAD]
    for title, _, lines in read():
        out += [f"## {title}", ""] + table(["", "answered", "test", ""], lines)
    return "\n".join(out)


def main():
    try:
        text = page()
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            print("docs/compatibility.md is not what the tables say: run `make docs`")
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
