#!/usr/bin/env python3
"""Blueprints: a column of the pack is declared by its migration, and named again only where it is an exception."""

import re
import sys

from layers import ROOT, tell

FOLDER = ROOT / "core/factory/blueprint"
DEF = FOLDER / "blueprint.def"
# The files that a site's blueprint passes through. The others read a campaign, whose format is its own.
GENERIC = [FOLDER / f"blueprint_{name}.c" for name in ("layout", "sql", "parts", "check", "export", "import")]
# Words of the format that happen to be names of columns.
FORMAT = {"id", "site_id", "state", "county", "name"}

PART = re.compile(r"^PART\((\w+), (\w+), B_(?:NAMED|LOOSE|SINGLE|SETTINGS), \d+\)$")
EXCEPTION = re.compile(
    r"^(?:(?:KEY|OR|OUT|ONE)\(\w+\)"
    r"|AS\(\w+, (?:SPINTAX|OBJECT|PLACE|CHOICE), \"[\w,]*\"\)"
    r"|RULE\(\w+, B_KEY \| B_\w+, \w+, \"\"\))$")
LISTED = re.compile(r"^TAKE\(\w+\)$")


def lines():
    """(part, its kind, line) of what stands between PART and PART_END, without comments."""
    text = re.sub(r"/\*.*?\*/", "", DEF.read_text(encoding="utf-8"), flags=re.S)
    part, is_listed = None, False
    for line in (line.strip() for line in text.splitlines()):
        if match := PART.match(line):
            part, is_listed = match[1], "B_SETTINGS" in line
        elif line == f"PART_END({part})":
            part = None
        elif line and part:
            yield part, is_listed, line


def columns():
    """The names that the pack's migrations give to columns of parts."""
    tables = {match[2] for line in DEF.read_text(encoding="utf-8").splitlines() if (match := PART.match(line))}
    found = set()
    for path in sorted((ROOT / "schema/migrations").glob("*_pack_*.sql")):
        for table, body in re.findall(r"^create table (\w+) \((.*?)^\);", path.read_text(encoding="utf-8"), flags=re.S | re.M):
            if table in tables:
                found |= set(re.findall(r'^    "?([a-z]\w*)"? [a-z]', body, flags=re.M))
    return found - {"unique", "check", "primary", "foreign", "constraint"}


def declared_columns():
    for part, is_listed, line in lines():
        if not EXCEPTION.match(line) and not (is_listed and LISTED.match(line)):
            yield f"{part}: {line}"


def named_columns():
    names = columns() - FORMAT
    for path in GENERIC:
        code = re.sub(r"/\*.*?\*/|//[^\n]*|^#include[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
        for word in re.findall(r'"([^"\\\n]*)"', code):
            if word in names:
                yield f'{path.relative_to(ROOT)} names the column "{word}"'


def statements_beside():
    for path in sorted((ROOT / "schema/queries").glob("*.sql")):
        for name in re.findall(r"^-- name: (blueprint_(?:add|rows|keys)\w*)", path.read_text(encoding="utf-8"), flags=re.M):
            yield f"{path.name} has {name}: blueprint_sql.c writes it"


def nothing_found():
    if len(columns()) < 100 or len(list(lines())) < 50:
        yield f"{len(columns())} columns and {len(list(lines()))} exceptions: the patterns do not fit"


CLAIMS = {
    "blueprint_def_names_exceptions_alone": declared_columns,
    "the_code_of_blueprints_names_no_column": named_columns,
    "no_statement_lists_columns_of_a_part": statements_beside,
    "the_columns_were_found": nothing_found,
}


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
