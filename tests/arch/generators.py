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
    "param_of_no_type": ("-- name: a :read\n-- params: x url\nselect :x;\n", ":2: 'url' is no type of a param"),
    "array_that_may_be_null": ("-- name: a :read\n-- params: x text[]?\nselect :x;\n", ":2: 'text[]?' is no type"),
    "param_named_twice": ("-- name: a :read\n-- params: x int, x int\nselect :x;\n", ":2: a param is named twice"),
    "params_below_the_text": ("-- name: a :read\nselect\n-- params: x int\n:x;\n", ":3: 'params' belongs directly"),
    "list_without_an_end": ("-- name: a :read\n-- params: x int,\n", ":2: the list has no end"),
    "name_that_is_no_param": ("-- name: a :read\n-- params: x int\nselect :x,\n  :y;\n", ":4: 'a' has no param 'y'"),
    "param_that_is_not_used": ("-- name: a :read\n-- params: x int, y int\nselect :x;\n",
                               ":1: 'a' does not use its param 'y'"),
    "number_beside_names": ("-- name: a :read\n-- params: x int\nselect :x, $1;\n", ":3: $1 in 'a'"),
    "column_of_no_type": ("-- name: a :read\n-- returns: x text[]\nselect 1;\n", ":2: 'text[]' is no type of a column"),
    "columns_with_and_without_types": ("-- name: a :read\n-- returns: x int, y\nselect 1, 2;\n",
                                       ":2: either each column has a type or none"),
}

GOOD = '-- a remark\n\n-- name: find :read   the tenant first\n-- returns: id, slug\nselect id, "slug"\n  from t\n where a = $1;\n'

NAMED = """-- name: store :write
-- params: site uuid, note text?, at time?,
--         tags text[], editor uuid?
-- returns: id uuid, at time?
insert into t values (:site, :note, 'a :note', ":note", :at::text, :tags::text[], $a$ :note $a$, :editor,
  E'\\' :note', /* :note */ :site) -- :note
returning id, at;
"""
NAMED_TEXT = (r"""insert into t values ($1, $2, 'a :note', \":note\", $3::text, $4::text[], $a$ :note $a$, $5,""",
              r"""  E'\\' :note', /* :note */ $1) -- :note""")


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
        result = generate(folder, NAMED)
        head = (folder / "sql.h").read_text() if result.returncode == 0 else ""
        source = (folder / "sql.c").read_text() if result.returncode == 0 else ""
        claim("names_become_numbers_but_not_in_quotes_casts_and_remarks", all(text in source for text in NAMED_TEXT))
        claim("params_become_a_struct",
              "struct store_args {\n    Uuid site;\n    Str note;\n    const int64_t *at;\n"
              "    struct db_texts tags;\n    Uuid editor;\n};" in head)
        claim("params_are_put_in_their_order",
              "list[1] = db_text_z(args->note);\n    list[2] = args->at != NULL ? db_time(*args->at) : db_null();\n"
              "    list[3] = db_text_array(arena, args->tags.list, args->tags.count);\n"
              "    list[4] = db_uuid_or_null(args->editor);" in source)
        claim("no_value_ends_the_process", "assert" not in source and "list[0] = db_uuid(args->site);" in source)
        claim("params_have_places", "STORE_PARAM_SITE,\n    STORE_PARAM_NOTE," in head and "STORE_PARAMS,\n};" in head)
        claim("typed_columns_become_a_row", "Uuid id;\n    int64_t at;\n    bool has_at;\n};" in head
              and ".at = row_time(rows, row, STORE_AT)" in source)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
