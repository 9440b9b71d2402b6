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


ROUTE = 'ROUTE("POST", "/api/x", x_post, GUARD_ADMIN, BODY_CONTENT, TAG_FACTORY, RATE_NONE, {}, {}, "X.")\n'
GOOD_ROUTE = ROUTE.format("SITE_NAMED", "WRITES")
ANSWER = '    REPLY(ok, TRUE, "Y.")\n'
ROUTES_REFUSED = {
    "route_without_a_site_rule": (ROUTE.replace("{}, {}", "WRITES"), ":1: a route has 10 columns"),
    "route_of_no_site_rule": (ROUTE.format("SITE_ANY", "WRITES"), ":1: 'SITE_ANY' is no site rule"),
    "site_of_nothing": (ROUTE.format("SITE_OF()", "WRITES"), ":1: 'SITE_OF()' is no site rule"),
    "site_of_a_field_that_is_not_there": (ROUTE.format("SITE_OF(id)", "WRITES"), ":1: x_post has no field 'id'"),
    "site_of_a_field_of_nobody": (ROUTE.format("SITE_OF(id)", "WRITES") + 'BODY(id, UUID, "Y.")\n', "does not say OF("),
    "route_of_no_write_rule": (ROUTE.format("SITE_NAMED", "MAYBE"), ":1: 'MAYBE' is no write rule"),
    "field_of_no_type": (GOOD_ROUTE + '    BODY(a, URL, "Y.")\n', ":2: 'URL' is no type of a field"),
    "type_without_its_limit": (GOOD_ROUTE + '    BODY(a, TEXT, "Y.")\n', ":2: 'TEXT' is no type of a field"),
    "option_that_is_not_there": (GOOD_ROUTE + '    BODY(a, UUID, NEEDED, "Y.")\n', ":2: there is no option 'NEEDED'"),
    "field_named_twice": (GOOD_ROUTE + '    BODY(a, UUID, "Y.")\n    BODY(a, BOOL, "Y.")\n', "names a field twice"),
    "member_of_no_object": (GOOD_ROUTE + '    BODY(a.b, UUID, "Y.")\n', ":2: 'a' is no object of x_post"),
    "field_above_the_routes": ('BODY(a, UUID, "Y.")\n', ":1: this row belongs below a ROUTE"),
    "reply_of_no_type": (GOOD_ROUTE + '    REPLY(a, URL, "Y.")\n', ":2: 'URL' is no type of a reply"),
    "reply_of_no_group": (GOOD_ROUTE + '    REPLY(a, LIST(b), "Y.")\n', ":2: there is no group 'b' above"),
    "reply_named_twice": (GOOD_ROUTE + '    REPLY(a, INT, "Y.")\n    REPLY(a, INT, "Y.")\n', "with a name twice"),
    "route_named_twice": (GOOD_ROUTE + ANSWER + GOOD_ROUTE.replace("/api/x", "/api/y") + ANSWER, ":3: x_post is already at"),
    "route_without_an_answer": (GOOD_ROUTE, ":1: x_post says with no REPLY or SHAPE what it answers"),
    "route_without_its_body": (GOOD_ROUTE.replace("SITE_NAMED", "SITE_NONE") + ANSWER, ":1: x_post needs BODY rows or a SHAPE"),
    "route_with_a_body_that_it_does_not_take": (GOOD_ROUTE.replace("BODY_CONTENT", "BODY_NONE") + ANSWER
                                                + '    SHAPE(BODY, OBJECT, "Y.")\n', ":1: x_post needs BODY rows or a SHAPE"),
    "reply_rows_that_no_answer_has": (GOOD_ROUTE + ANSWER + '    SHAPE(204, NOTHING, "Y.")\n', ":1: x_post has REPLY rows and no"),
    "shape_of_no_word": (GOOD_ROUTE + '    SHAPE(200, ROWS, "Y.")\n', ":2: 'ROWS' is no shape of an answer"),
    "shape_of_a_body_that_is_one_of_answers": (GOOD_ROUTE + '    SHAPE(BODY, ITEM, "Y.")\n', ":2: 'ITEM' is no shape of a body"),
    "shape_of_no_status": (GOOD_ROUTE + '    SHAPE(OK, ITEM, "Y.")\n', ":2: 'OK' is neither BODY nor a status"),
    "shape_of_no_group": (GOOD_ROUTE + '    SHAPE(200, OBJECT(row), "Y.")\n', ":2: there is no group 'row' of replies above"),
    "text_of_no_media_type": (GOOD_ROUTE + '    SHAPE(200, TEXT, "Y.")\n', ":2: TEXT is of a media type"),
    "status_of_two_media_types": (GOOD_ROUTE + '    SHAPE(200, ITEM, "Y.")\n    SHAPE(200, TEXT("text/html"), "Y.")\n', ":1: x_post answers one status with two media types"),
    "check_of_a_body_that_the_handler_reads": (GOOD_ROUTE + ANSWER + '    SHAPE(BODY, FIELDS, "Y.")\n    LATE()\n', ":1: x_post reads its body itself"),
    "row_in_two_lines": ('ROUTE("GET",\n', ":1: a row is MACRO(…) in one line"),
}


def generate_routes(folder, text):
    family = folder / "server" / "api" / "x"
    family.mkdir(parents=True, exist_ok=True)
    (family / "routes.def").write_text(text)
    return subprocess.run([sys.executable, ROOT / "tools/gen_routes.py", "--root", folder, "--out", folder],
                          capture_output=True, text=True, check=False)


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
        for case, (text, message) in ROUTES_REFUSED.items():
            result = generate_routes(folder, text)
            claim(f"{case}_is_refused", result.returncode == 1 and message in result.stderr)
        result = generate_routes(folder, GOOD_ROUTE + '    BODY(note, TEXT(9), ALIAS(text) DEFAULT("?"), "Y.")\n' + ANSWER)
        head = (folder / "routes/x.h").read_text() if result.returncode == 0 else ""
        source = (folder / "routes.c").read_text() if result.returncode == 0 else ""
        claim("fields_become_a_struct", "struct x_post_input {\n    Uuid site_id;\n    Str note;\n};" in head)
        claim("a_handler_is_given_its_input", "route_x_post(struct ctx *ctx, const struct request *request, "
              "const struct x_post_input *input, struct reply *reply);" in head)
        claim("members_are_those_of_the_rows", 'STR_INIT("site site_id text note")' in source)
        result = generate_routes(folder, 'GROUP(row)\n    REPLY(id, UUID, NULLABLE, "Y.")\n' + GOOD_ROUTE
                                 + '    REPLY(rows, LIST(row), "Y.")\n    REPLY(next, INT, OPTIONAL, "Y.")\n')
        head = (folder / "routes/x.h").read_text() if result.returncode == 0 else ""
        source = (folder / "routes.c").read_text() if result.returncode == 0 else ""
        claim("replies_become_structs", "struct x_post_reply {\n    struct row_replies rows;\n    int64_t next;\n"
              "    bool has_next;\n};" in head)
        claim("what_is_null_is_written_and_what_is_left_out_is_not",
              'if (!uuid_is_nil(reply->id)) {\n        json_field_uuid(w, "id", reply->id);\n    }\n'
              '    else\n        json_field_null(w, "id");' in source
              and 'if (reply->has_next) {\n        json_field_int(w, "next", reply->next);\n    }\n    json_object_end' in source)
        result = generate_routes(folder, GOOD_ROUTE + '    SHAPE(BODY, FIELDS, "Y.")\n    SHAPE(204, NOTHING, "Z.")\n')
        head = (folder / "routes/x.h").read_text() if result.returncode == 0 else ""
        source = (folder / "routes.c").read_text() if result.returncode == 0 else ""
        claim("a_handler_that_reads_its_body_is_given_none",
              "route_x_post(struct ctx *ctx, const struct request *request, struct reply *reply);" in head and ".size" not in source)
        claim("shapes_become_a_table", 'x_post_shapes[] = {\n    {.type = SHAPE_FIELDS, .media = "application/json", .help = "Y."},\n'
              '    {.status = "204", .type = SHAPE_NOTHING, .help = "Z."},\n};' in source)
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
