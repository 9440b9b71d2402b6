#!/usr/bin/env python3
"""Turns server/api/<family>/routes.def into gen/routes.c and gen/routes/<family>.h.

    gen/routes/<family>.h   struct <route>_input for routes that take fields, and the handlers
                            struct <route>_reply and <route>_reply_write for those that declare their reply
    gen/routes.c            the table of all routes, with their fields; the writers

A handler is route_<name>. One with fields is called with its input, which is read and checked already:

    fiber_fn Err route_lead_post(struct ctx *ctx, const struct request *request,
                                 const struct lead_post_input *input, struct reply *reply);

See route_table.py for what a line of a routes.def says.
"""

import argparse
import pathlib
import sys

import route_table
from route_table import Mistake

NONE = "STR_NONE"
C_TYPES = {"TEXT": "Str", "SCALAR": "Str", "MONEY": "Str", "INT": "int64_t", "BOOL": "bool",
           "UUID": "Uuid", "IDS": "struct db_uuids", "TIME": "int64_t", "OBJECT": "const struct json *",
           "JSON": "const struct json *"}
FLAGS = ("REQUIRED", "FILLED", "FOLDED", "BLANKABLE", "CAPPED", "NULLABLE", "STRICT")
REQUEST = "struct ctx *ctx, const struct request *request"


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"'


def str_init(text):
    return f"STR_INIT({quote(text)})"


def has_flag(field):
    return field.type == "TIME" or "HAS" in field.options or "NULLABLE" in field.options


def input_struct(route):
    out = [f"struct {route.name}_input {{"]
    for field in route.fields:
        if field.member():
            space = "" if C_TYPES[field.type].endswith("*") else " "
            out.append(f"    {C_TYPES[field.type]}{space}{field.member()};")
            if has_flag(field):
                out.append(f"    bool has_{field.member()};")
    out += [f"    {member};" for member in route.keeps]
    if route.is_late:
        out.append("    Err faults; /* the first of those that were recorded; OK: none */")
    return out + ["};"]


def prototype(route):
    given = f", const struct {route.name}_input *input" if route.has_input() else ""
    return f"fiber_fn Err route_{route.name}({REQUEST}{given}, struct reply *reply)"


REPLY_TYPES = {"BOOL": "bool", "INT": "int64_t", "COUNT": "uint64_t", "REAL": "double", "TEXT": "Str", "UUID": "Uuid",
               "TIME": "int64_t", "RAW": "Str", "TEXTS": "struct db_texts", "UUIDS": "struct db_uuids"}


def reply_type(reply):
    if reply.type == "OBJECT":
        return f"struct {reply.group}_reply"
    return f"struct {reply.group}_replies" if reply.type == "LIST" else REPLY_TYPES[reply.type]


def reply_header(name, replies, is_group):
    out = [f"struct {name}_reply {{"]
    for reply in replies:
        if reply.type != "TRUE":
            out.append(f"    {reply_type(reply)} {reply.member()};" + (" /* JSON */" if reply.type == "RAW" else ""))
        if reply.has_flag():
            out.append(f"    bool has_{reply.member()};")
    out.append("};")
    if is_group:
        out += [f"struct {name}_replies {{", f"    const struct {name}_reply *list;", "    uint32_t count;", "};"]
    return out + [f"void {name}_reply_write(struct json_writer *w, const struct {name}_reply *reply);", ""]


def value_source(reply):
    """The statements that write a value where there is one, its key included."""
    key, value = quote(reply.name), f"reply->{reply.member()}"
    word = {"BOOL": "bool", "INT": "int", "TEXT": "str", "UUID": "uuid", "RAW": "raw"}.get(reply.type)
    if reply.type == "TRUE":
        return [f'json_field_bool(w, {key}, true);']
    if word:
        return [f"json_field_{word}(w, {key}, {value});"]
    out = [f"json_key(w, STR({key}));"]
    if reply.type == "TIME":
        return out + [f"json_put_time(w, {value});"]
    if reply.type == "COUNT":
        return out + [f"json_put_uint(w, {value});"]
    if reply.type == "REAL":
        return out + [f"json_put_real(w, {value});"]
    if reply.type == "OBJECT":
        return out + [f"{reply.group}_reply_write(w, &{value});"]
    put = {"LIST": f"{reply.group}_reply_write(w, &{value}.list[i]);", "TEXTS": f"json_put_str(w, {value}.list[i]);",
           "UUIDS": f"json_put_uuid(w, {value}.list[i]);"}[reply.type]
    return out + ["json_array_begin(w);", f"for (uint32_t i = 0; i < {value}.count; i++)", f"    {put}", "json_array_end(w);"]


def presence(reply):
    value = f"reply->{reply.member()}"
    if reply.has_flag():
        return f"reply->has_{reply.member()}"
    if reply.type == "UUID":
        return f"!uuid_is_nil({value})"
    return f"{value}.data != NULL"  # an empty text is one


def member_source(reply):
    lines = value_source(reply)
    if not reply.options:
        return lines
    out = [f"if ({presence(reply)}) {{"] + [f"    {line}" for line in lines] + ["}"]
    return out + ([f"else", f"    json_field_null(w, {quote(reply.name)});"] if "NULLABLE" in reply.options else [])


def reply_table_source(name, replies):
    out = [f"static const struct reply_field {name}_reply_fields[] = {{"]
    for reply in replies:
        shape = f", .shape = &{reply.group}_reply_shape" if reply.group else ""
        flags = "".join(f", .is_{option.lower()} = true" for option in reply.options)
        out.append(f"    {{.name = {quote(reply.name)}, .type = REPLY_{reply.type}{shape}{flags}, .help = {quote(reply.help)}}},")
    return out + ["};", f"static const struct reply_shape {name}_reply_shape = {{{name}_reply_fields, {len(replies)}}};"]


def writer_source(name, replies):
    out = [f"void {name}_reply_write(struct json_writer *w, const struct {name}_reply *reply)", "{"]
    if all(reply.type == "TRUE" for reply in replies):
        out.append("    (void)reply;")
    out.append("    json_object_begin(w);")
    out += [f"    {line}" for reply in replies for line in member_source(reply)]
    return out + ["    json_object_end(w);", "}", ""]


def shapes_source(route):
    out = [f"static const struct route_shape {route.name}_shapes[] = {{"]
    for shape in route.shapes:
        parts = [] if shape.status == "BODY" else [f".status = {quote(shape.status)}"]
        parts.append(f".type = SHAPE_{shape.type}")
        if shape.media:
            parts.append(f".media = {quote(shape.media)}")
        if shape.group or shape.type == "REPLY":
            parts.append(f".object = &{shape.group or route.name}_reply_shape")
        out.append("    {" + ", ".join(parts + [f".help = {quote(shape.help)}"]) + "},")
    return out + ["};"]


def header(family):
    out = [f"/* Generated by tools/gen_routes.py from server/api/{family.name}/routes.def. */", "#pragma once", "",
           '#include "io/pg/db.h"', '#include "server/dispatch/route.h"']
    out += [f'#include "{name}"' for name in family.includes] + [""]
    for name, replies in family.shapes().items():
        out += reply_header(name, replies, True)
    for route in family.routes:
        if route.replies:
            out += reply_header(route.name, route.replies, False)
        if route.has_input():
            out += input_struct(route)
        if not route.handler:
            out.append(prototype(route) + ";")
        if route.is_checked:
            out.append("/* What its rows cannot say; may change the input. */")
            out.append(f"Err route_{route.name}_check(struct ctx *ctx, struct {route.name}_input *input);")
        out.append("")
    return "\n".join(out)


def limits_of(field):
    if field.type == "INT":
        return [f".int_min = {field.limits[0]}", f".int_max = {field.limits[1]}"]
    return [f".int_max = {field.limits[0]}"] if field.limits else []


def field_source(route, field):
    input_ = f"struct {route.name}_input"
    parts = [f".name = {quote(field.leaf())}", f".path = {quote(field.path)}", f".type = INPUT_{field.type}"]
    if field.alias():
        parts.append(f".alias = {quote(field.alias())}")
    if field.place == "QUERY":
        parts.append(".is_query = true")
    parent = [f.path for f in route.fields].index(field.parent()) if field.parent() else -1
    parts.append(f".parent = {parent}")
    for option in ("WITH", "UNLESS"):
        if option in field.options:
            index = [f.path for f in route.fields].index(field.options[option][0])
            parts.append(f".{option.lower()} = {index + 1}")
    flags = [f"INPUT_IS_{flag}" for flag in FLAGS if flag in field.options]
    if flags:
        parts.append(f".flags = {' | '.join(flags)}")
    parts += limits_of(field)
    if "CHOICES" in field.options:
        parts.append(f".choices = {quote(', '.join(field.options['CHOICES']))}")
    if "SAYS" in field.options:
        code, sentence = field.options["SAYS"]
        parts += [f".says_err = ERR_{code}", f".says = {quote(sentence)}"]
    if field.member() and route.has_input():
        parts.append(f".offset = offsetof({input_}, {field.member()})")
        if has_flag(field):
            parts.append(f".has_offset = offsetof({input_}, has_{field.member()}), .has_flag = true")
    return "    {" + ", ".join(parts + [f".help = {quote(field.help)}"]) + "},"


def default_of(field):
    value = field.options["DEFAULT"][0]
    return f".{field.member()} = " + (f"STR_INIT({value})" if value.startswith('"') else value)


def members_of(route, place, parent=""):
    """The names that a body, or a query, may have, as json_check_members reads them."""
    out = []
    for field in route.fields:
        if field.place != place or field.parent() != parent:
            continue
        below = members_of(route, place, field.path)
        out += field.names()[:-1] + [field.names()[-1] + ("{" + below + "}" if below else "")]
    return " ".join(out)


def any_of(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def needs_source(route):
    index = [f.path for f in route.fields].index
    out = [f"static const struct input_need {route.name}_needs[] = {{"]
    for names, says in route.needs:
        mask = " | ".join(f"UINT64_C(1) << {index(name)}" for name in names)
        out.append(f"    {{.fields = {mask}, .first = {index(names[0])}, "
                   f".says = {quote(says or any_of(names) + ' is required')}}},")
    return out + ["};"]


def subjects_source(route):
    out = [f"static const struct site_subject {route.name}_subjects[] = {{"]
    for name in route.subjects:
        field = route.find(name)
        noun = field.options["OF"][0]
        out.append(f"    {{.sites = &SQL_{noun.upper()}_SITES, .noun = {quote(noun)}, "
                   f".offset = offsetof(struct {route.name}_input, {field.member()}), "
                   f".is_list = {str(field.type == 'IDS').lower()}}},")
    return out + ["};"]


def fields_source(route):
    out = [f"static const struct input_field {route.name}_fields[] = {{"]
    return out + [field_source(route, field) for field in route.fields] + ["};"]


def input_source(route):
    name, out = route.name, []
    if route.needs:
        out += needs_source(route)
    if route.subjects:
        out += subjects_source(route)
    defaults = [default_of(field) for field in route.fields if "DEFAULT" in field.options]
    if defaults:
        out.append(f"static const struct {name}_input {name}_defaults = {{{', '.join(defaults)}}};")
    if route.is_checked:
        out += [f"static Err check_{name}(struct ctx *ctx, void *input)", "{",
                f"    return route_{name}_check(ctx, input);", "}"]
    out += [f"static fiber_fn Err run_{name}({REQUEST}, struct reply *reply)", "{",
            f"    return route_{name}(ctx, request, request->input, reply);", "}"]
    return out


def input_init(route):
    name = route.name
    parts = [f".size = sizeof(struct {name}_input)"] if route.has_input() else []
    if route.fields:
        parts += [f".fields = {name}_fields", f".count = {len(route.fields)}"]
    if route.needs:
        parts += [f".needs = {name}_needs", f".need_count = {len(route.needs)}"]
    if any("DEFAULT" in field.options for field in route.fields):
        parts.append(f".defaults = &{name}_defaults")
    if route.is_checked:
        parts.append(f".check = check_{name}")
    if route.is_late:
        parts += [".is_late = true", f".faults_offset = offsetof(struct {name}_input, faults)"]
    return parts


def site_init(route):
    parts = [f".rule = {route.site}"]
    if route.site in route_table.NAMING_RULES and route.find("site_id"):
        parts.append(f".named_offset = offsetof(struct {route.name}_input, site_id), .has_named = true")
    if route.subjects:
        parts += [f".subjects = {route.name}_subjects", f".subject_count = {len(route.subjects)}"]
    return parts


def route_source(route):
    init = input_init(route)
    body, query = members_of(route, "BODY"), members_of(route, "QUERY")
    init += [f".body_members = {str_init(body)}"] if body else []
    init += [f".query_members = {str_init(query)}"] if query else []
    init += [".has_free_body = true"] if route.has_free_body else []
    handler = f"run_{route.name}" if route.has_input() else f"route_{route.handler or route.name}"
    return [f"    {{.method = {str_init(route.method)},", f"     .pattern = {str_init(route.pattern)},",
            f"     .name = {quote(route.name)},", f"     .handler = {handler},",
            *([f"     .collection = {str_init(route.collection)},"] if route.collection else []),
            f"     .guard = {route.guard},",
            f"     .body = {route.body},", f"     .tag = {route.tag},", f"     .rate = {route.rate},",
            f"     .write = {route.write},", f"     .site = {{{', '.join(site_init(route))}}},",
            f"     .envelope = {'ENVELOPE_API' if route.is_api() else 'ENVELOPE_CMS'},",
            *([f"     .input = {{{', '.join(init)}}},"] if init else []),
            f"     .shapes = {route.name}_shapes,", f"     .shape_count = {len(route.shapes)},",
            f"     .summary = {quote(route.summary)}}},"]


def source(families):
    out = ["/* Generated by tools/gen_routes.py from server/api. */"]
    out += [f'#include "gen/routes/{family.name}.h"' for family in families]
    out += ['#include "gen/sql.h"', "", "#include <stddef.h>", ""]
    routes = [route for family in families for route in family.routes]
    for family in families:
        for name, replies in family.shapes().items():
            out += reply_table_source(name, replies) if name in family.described() else []
            out += writer_source(name, replies)
    for route in routes:
        if route.replies:
            out += reply_table_source(route.name, route.replies) + writer_source(route.name, route.replies)
        out += shapes_source(route)
        if route.fields:
            out += fields_source(route)
        if route.has_input():
            out += input_source(route) + [""]
    out.append("const struct route ROUTES[] = {")
    for route in routes:
        out += route_source(route)
    return "\n".join(out + ["};", "", f"const uint32_t ROUTES_COUNT = {len(routes)};", ""])


def write_if_changed(path, text):
    """Leaves the file's time alone when nothing changed, so that nothing is rebuilt for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=route_table.ROOT)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    try:
        families = route_table.read_families(arguments.root)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
    for family in families:
        write_if_changed(arguments.out / "routes" / f"{family.name}.h", header(family))
    write_if_changed(arguments.out / "routes.c", source(families))
    return 0


if __name__ == "__main__":
    sys.exit(main())
