#!/usr/bin/env python3
"""The generators refuse mistakes with file and line, and say each thing once."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

REFUSED = {
    "statement_named_twice": ("-- name: a :read\nselect 1;\n-- name: a :read\nselect 2;\n", ":3: 'a' is already at"),
    "statement_without_a_kind": ("-- name: a\nselect 1;\n", ":1: 'a' must say :read"),
    "statement_without_a_name": ("-- name: :read\nselect 1;\n", ":1: ':read' is no statement name"),
    "sql_without_a_name": ("\nselect 1;\n", ":2: SQL before the first"),
    "second_statement_under_one_name": ("-- name: a :read\nselect 1;\nselect 2;\n", ":3: a second statement"),
    "name_without_sql": ("-- name: a :read\n-- only a remark\n", ":1: 'a' has no SQL"),
    "column_named_twice": ("-- name: a :read\n-- returns: x, x\nselect 1, 2;\n", ":2: a column is named twice"),
    "two_names_that_make_one_constant": (
        "-- name: a :read\n-- returns: b_c\nselect 1;\n-- name: a_b :read\n-- returns: c\nselect 1;\n",
        "'A_B_C' is already made by"),
}

GOOD = '-- a remark\n\n-- name: find :read   the tenant first\n-- returns: id, slug\nselect id, "slug"\n  from t\n where a = $1;\n'


def generate(folder, text):
    file = folder / "queries.sql"
    file.write_text(text)
    return subprocess.run([sys.executable, ROOT / "tools/gen_statements.py", "--out", folder, file],
                          capture_output=True, text=True, check=False)


def main():
    number, failed = 0, 0

    def claim(name, holds):
        nonlocal number, failed
        number += 1
        failed += not holds
        print(f"{'ok' if holds else 'not ok'} {number} - {name}")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for case, (text, message) in REFUSED.items():
            result = generate(folder, text)
            claim(f"{case}_is_refused", result.returncode == 1 and message in result.stderr)
        result = generate(folder, GOOD)
        source = (folder / "sql.c").read_text() if result.returncode == 0 else ""
        claim("statement_keeps_its_text_without_the_semicolon",
              '"select id, \\"slug\\"" "\\n"' in source and '" where a = $1",' in source)
        claim("columns_become_numbers", "FIND_ID,\n    FIND_SLUG," in (folder / "sql.h").read_text())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
