#!/usr/bin/env python3
"""Turns schema/queries/*.sql into sql.h and sql.c.

    -- name: article_find :read
    -- returns: id, slug, title
    select id, slug, title from articles where site_id = $1 and slug = $2;

becomes SQL_ARTICLE_FIND (struct statement) and ARTICLE_FIND_ID, ARTICLE_FIND_SLUG, … so that C
never spells a statement or a column number. A mistake ends with file:line and a sentence.

Parameters may have names and types; then the text says :name, and $1 is refused:

    -- name: article_rename :write
    -- params: site uuid, id uuid, title text, editor uuid?,
    --         tags text[]
    -- returns: id uuid, title text, editor uuid?
    update articles set title = :title, tags = :tags::text[] where site_id = :site and …

This makes struct article_rename_args, and article_rename_args(arena, &args), which puts it
in order in the arena, so that a batch may read it later:

    db_query(ctx, &SQL_ARTICLE_RENAME,
             article_rename_args(ctx->arena, &(struct article_rename_args){.site = …, .id = …}), &rows)

A struct and a function, no macro: a call is plain C, and an order cannot be wrong as there is none.
A field that was left out would be zero: tests/arch/statements.py checks that each is given by name. Nothing is
checked at run time, for the nil UUID is a key that a tenant may give to a row.

    type          in C                    with ?: null is
    uuid          Uuid                    nil
    text, json    Str                     STR_NONE; an empty text stays one
    word          Str                     STR_NONE and the empty text
    bytes         Str                     STR_NONE
    int, int4, real, bool, time (wall µs) the number; with ?: a pointer, NULL is null
    uuid[], int[], text[]                 struct db_uuids, db_ints, db_texts: list and count
    arg           DbArg                   for what a helper makes (audit_user): db_null()

ARTICLE_RENAME_PARAM_SITE, … are the places, ARTICLE_RENAME_PARAMS is their number, for who sends
texts (cli). Columns with types make struct article_rename_row and article_rename_row(&rows, i);
null reads as nil, STR_NONE or 0, and a number, bool or time with ? has a has_<name> beside it.
A list goes on in the next line after a comma.
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass, field

NAME = re.compile(r"^--\s*name:\s*(?P<name>\S*)\s*(?P<kind>:\S+)?")
LISTS = re.compile(r"^--\s*(?P<list>returns|params):\s*(?P<text>.*?)\s*$")
LANES = {":read": "DB_READ", ":write": "DB_WRITE", ":shared": "DB_SHARED", ":slow": "DB_SLOW"}
IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")
# What may stand around a name: in quotes, remarks and casts a colon names nothing.
TOKEN = re.compile(r"[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/"
                   r"|(?P<quote>\$[a-z_]*\$).*?(?P=quote)|::|:(?P<name>[a-z][a-z0-9_]*)|\$(?P<number>\d+)",
                   re.DOTALL)


@dataclass
class Type:
    """How a value goes to the server and comes back; a pair is without and with '?'."""
    c: tuple
    make: tuple
    read: str = ""


def plain(c, make, read):
    return Type((c, f"const {c} *"), (f"db_{make}({{0}})", f"{{0}} != NULL ? db_{make}(*{{0}}) : db_null()"), read)


def array(c, make):
    return Type((c, None), (f"db_{make}_array(arena, {{0}}.list, {{0}}.count)", None))


STR = ("Str", "Str")
TYPES = {
    "uuid": Type(("Uuid", "Uuid"), ("db_uuid({0})", "db_uuid_or_null({0})"), "row_uuid({0})"),
    "text": Type(STR, ("db_text({0})", "db_text_z({0})"), "row_text({0})"),
    "json": Type(STR, ("db_text({0})", "db_text_z({0})"), "row_json({0})"),
    "word": Type(STR, ("db_text({0})", "db_text_or_null({0})")),
    "bytes": Type(STR, ("db_bytes({0})", "{0}.data != NULL ? db_bytes({0}) : db_null()")),
    "int": plain("int64_t", "int", "row_int({0})"),
    "int4": plain("int32_t", "int4", "(int32_t)row_int({0})"),
    "bool": plain("bool", "bool", "row_bool({0})"),
    "real": plain("double", "real", "row_real({0})"),
    "time": plain("int64_t", "time", "row_time({0})"),
    "uuid[]": array("struct db_uuids", "uuid"),
    "int[]": array("struct db_ints", "int"),
    "text[]": array("struct db_texts", "text"),
    "arg": Type(("DbArg", None), ("{0}", None)),
}


class Mistake(Exception):
    pass


@dataclass
class Item:
    """A parameter, or a column, whose type may be None."""
    name: str
    type: Type | None
    may_be_null: bool

    def c(self):
        return self.type.c[self.may_be_null]

    def declaration(self):
        return f"{self.c()}{'' if self.c().endswith('*') else ' '}{self.name};"


@dataclass
class Statement:
    name: str
    lane: str
    where: str
    columns: list = field(default_factory=list)
    params: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    numbers: list = field(default_factory=list)  # of the lines, in the file

    def sql(self):
        text = "\n".join(self.lines)
        if self.params:
            places = {param.name: f"${n}" for n, param in enumerate(self.params, 1)}
            text = TOKEN.sub(lambda m: places[m["name"]] if m["name"] else m[0], text)
        return text.strip().rstrip(";").rstrip()

    def file(self):
        return self.where.rpartition(":")[0]


def read_name(match, where):
    name, kind = match["name"], match["kind"]
    if not IDENTIFIER.match(name or ""):
        raise Mistake(f"{where}: '{name}' is no statement name; use lower case, digits and _")
    if kind not in LANES:
        raise Mistake(f"{where}: '{name}' must say {', '.join(LANES)} after its name")
    return Statement(name, LANES[kind], where)


def read_item(text, what, where):
    name, _, type_name = text.partition(" ")
    type_name = type_name.strip()
    may_be_null, base = type_name.endswith("?"), type_name.removesuffix("?")
    if not IDENTIFIER.match(name):
        raise Mistake(f"{where}: '{text}' is no {what} name")
    if what == "column" and not type_name:
        return Item(name, None, False)
    kind = TYPES.get(base)
    if kind is None or kind.c[may_be_null] is None or (what == "column" and not kind.read):
        raise Mistake(f"{where}: '{type_name}' is no type of a {what}")
    return Item(name, kind, may_be_null)


def read_list(text, what, where):
    items = [read_item(item.strip(), what, where) for item in text.split(",")]
    if len({item.name for item in items}) != len(items):
        raise Mistake(f"{where}: a {what} is named twice")
    if len({item.type is None for item in items}) != 1:
        raise Mistake(f"{where}: either each column has a type or none")
    return items


def add_list(statements, kind, text, where):
    what, attribute = ("param", "params") if kind == "params" else ("column", "columns")
    if not statements or getattr(statements[-1], attribute) or statements[-1].lines:
        raise Mistake(f"{where}: '{kind}' belongs directly below a name")
    setattr(statements[-1], attribute, read_list(text, what, where))


def add_line(statements, line, number, where):
    if not statements:
        raise Mistake(f"{where}: SQL before the first '-- name:'")
    if statements[-1].lines and statements[-1].lines[-1].rstrip().endswith(";"):
        raise Mistake(f"{where}: a second statement without a '-- name:' of its own")
    statements[-1].lines.append(line.rstrip())
    statements[-1].numbers.append(number)


def joined(path):
    """The lines with their numbers; a list that ends with a comma together with its next."""
    held = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if held:
            number, line = held[0], held[1] + " " + line.strip().removeprefix("--").strip()
        held = (number, line) if LISTS.match(line.strip()) and line.rstrip().endswith(",") else None
        if held is None:
            yield number, line
    if held:
        raise Mistake(f"{path}:{held[0]}: the list has no end")


def read_file(path):
    statements = []
    for number, line in joined(path):
        where = f"{path}:{number}"
        text = line.strip()
        if match := NAME.match(text):
            statements.append(read_name(match, where))
        elif match := LISTS.match(text):
            add_list(statements, match["list"], match["text"], where)
        elif text != "" and not text.startswith("--"):
            add_line(statements, line, number, where)
    return statements


def check_params(statement):
    """Names and the text agree: none unknown, none unused, no number beside them."""
    text, used = "\n".join(statement.lines), set()
    known = {param.name for param in statement.params}
    for token in TOKEN.finditer(text):
        where = f"{statement.file()}:{statement.numbers[text.count(chr(10), 0, token.start())]}"
        if token["number"]:
            raise Mistake(f"{where}: {token[0]} in '{statement.name}', whose params have names")
        if token["name"] and token["name"] not in known:
            raise Mistake(f"{where}: '{statement.name}' has no param '{token['name']}'")
        used.add(token["name"])
    if unused := [param.name for param in statement.params if param.name not in used]:
        raise Mistake(f"{statement.where}: '{statement.name}' does not use its param '{unused[0]}'")


def constants_of(statement):
    names = [f"{statement.name}_{column.name}" for column in statement.columns]
    if statement.params:
        names += [f"{statement.name}_param_{param.name}" for param in statement.params]
        names.append(f"{statement.name}_params")
    return names


def check(statements):
    seen, constants = {}, {}
    for statement in statements:
        if statement.params:
            check_params(statement)
        if not statement.sql():
            raise Mistake(f"{statement.where}: '{statement.name}' has no SQL")
        if statement.name in seen:
            raise Mistake(f"{statement.where}: '{statement.name}' is already at {seen[statement.name]}")
        seen[statement.name] = statement.where
        for constant in constants_of(statement):
            # article + find_id and article_find + id would be the same enumerator.
            if constant in constants:
                raise Mistake(f"{statement.where}: '{constant.upper()}' is already made by {constants[constant]}")
            constants[constant] = statement.where


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"'


def enum_of(names):
    return ["enum {"] + [f"    {name}," for name in names] + ["};"]


def args_header(statement):
    name, upper = statement.name, statement.name.upper()
    return ([f"struct {name}_args {{"] + [f"    {param.declaration()}" for param in statement.params] + ["};"]
            + [f"struct db_args {name}_args(struct arena *arena, const struct {name}_args *args);"]
            + enum_of([f"{upper}_PARAM_{param.name.upper()}" for param in statement.params] + [f"{upper}_PARAMS"]))


def has_flag(column):
    """Numbers have no value of their own that could mean null."""
    return column.may_be_null and column.type.c[0] != column.type.c[1]


def row_header(statement):
    out = [f"struct {statement.name}_row {{"]
    for column in statement.columns:
        out.append(f"    {column.type.c[0]} {column.name};")
        if has_flag(column):
            out.append(f"    bool has_{column.name};")
    return out + ["};", f"struct {statement.name}_row {statement.name}_row(const struct rows *rows, uint32_t row);"]


def header(statements):
    out = ["/* Generated by tools/gen_statements.py from schema/queries. */", "#pragma once", "",
           "#include <stddef.h>", "", '#include "io/pg/db.h"', ""]
    for statement in statements:
        upper = statement.name.upper()
        out.append(f"extern const struct statement SQL_{upper};")
        if statement.params:
            out += args_header(statement)
        if statement.columns:
            out += enum_of([f"{upper}_{column.name.upper()}" for column in statement.columns])
        if statement.columns and statement.columns[0].type:
            out += row_header(statement)
    out += ["", "/* All of them, in the order of files and lines; RETURNS is NULL where none was declared. */",
            "extern const struct statement *const SQL_ALL[];",
            "extern const char *const SQL_ALL_RETURNS[];",
            "extern const size_t SQL_ALL_COUNT;", ""]
    return "\n".join(out)


def args_source(statement):
    name, count = statement.name, len(statement.params)
    out = [f"struct db_args {name}_args(struct arena *arena, const struct {name}_args *args)", "{"]
    out.append(f"    DbArg *list = arena_array(arena, DbArg, {count});")
    for n, param in enumerate(statement.params):
        out.append(f"    list[{n}] = {param.type.make[param.may_be_null].format('args->' + param.name)};")
    return out + [f"    return (struct db_args){{list, {count}}};", "}", ""]


def row_source(statement):
    name = statement.name
    out = [f"struct {name}_row {name}_row(const struct rows *rows, uint32_t row)", "{",
           f"    return (struct {name}_row){{"]
    for column in statement.columns:
        place = f"rows, row, {name}_{column.name}".upper().replace("ROWS, ROW", "rows, row")
        out.append(f"        .{column.name} = {column.type.read.format(place)},")
        if has_flag(column):
            out.append(f"        .has_{column.name} = !row_is_null({place}),")
    return out + ["    };", "}", ""]


def source(statements):
    out = ["/* Generated by tools/gen_statements.py from schema/queries. */", '#include "gen/sql.h"', "",
           '#include "base/memory/arena.h"', ""]
    for statement in statements:
        out.append(f"const struct statement SQL_{statement.name.upper()} = {{")
        out.append(f"    .name = {quote(statement.name)},")
        lines = statement.sql().split("\n")
        out.append("    .sql = " + "\n           ".join(quote(line) + ' "\\n"' for line in lines[:-1])
                   + ("\n           " if len(lines) > 1 else "") + quote(lines[-1]) + ",")
        out.append(f"    .lane = {statement.lane},")
        out += ["};", ""]
        if statement.params:
            out += args_source(statement)
        if statement.columns and statement.columns[0].type:
            out += row_source(statement)
    out.append("const struct statement *const SQL_ALL[] = {")
    out += [f"    &SQL_{statement.name.upper()}," for statement in statements]
    out += ["    NULL,", "};", "", "const char *const SQL_ALL_RETURNS[] = {"]
    out += [f"    {quote(', '.join(c.name for c in s.columns)) if s.columns else 'NULL'}," for s in statements]
    out += ["    NULL,", "};", "", f"const size_t SQL_ALL_COUNT = {len(statements)};", ""]
    return "\n".join(out)


def write_if_changed(path, text):
    """Leaves the file's time alone when nothing changed, so that nothing is rebuilt for it."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        statements = [s for path in arguments.files for s in read_file(path)]
        check(statements)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
    write_if_changed(arguments.out / "sql.h", header(statements))
    write_if_changed(arguments.out / "sql.c", source(statements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
