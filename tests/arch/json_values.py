#!/usr/bin/env python3
"""JSON that this process makes is not printed to be parsed again: base/json/json_build.h makes the value.

A parser gets what somebody else wrote: a body, a column, a cache, a token. What counts as made here is the
text of a buffer, of a value, of a literal, and what a function that writes JSON hands back, directly or
through variables of the same function.
"""

import re
import sys

from fibers import DEFINITION, body_at
from layers import ROOT, tell
from statements import line_of, parts_of, body_at as inside_brackets

FOLDERS = ("core", "server")
# The module itself, and what runs it on a thread.
HOMES = ("core/base/json/", "core/io/fiber/json_apart.c")
# Files where text is parsed that was made here, each with its reason.
ALLOWED = {}

# A parser, and which of its arguments is the text.
PARSERS = {"json_parse": 1, "json_parse_apart": 1, "json_parse_tree": 1, "json_build_text": 2}
CALL = re.compile(rf"\b({'|'.join(PARSERS)})(?=\()")
MADE = re.compile(r'"\s*(?:[\[{]|\\")|\bbuf_str\s*\(|\bjson_text(?:_apart)?\s*\(')
WRITES = re.compile(r"\bjson_writer\s*\(")
HANDS_BACK = re.compile(r"\*ret\w*\s*=\s*buf_str\s*\(|\breturn\s+buf_str\s*\(")
TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)'", flags=re.S)


def blank(found):
    return re.sub(r"[^\n]", " ", found[0])


def without_comments(text):
    return TOKEN.sub(lambda found: blank(found) if found[0][0] == "/" else found[0], text)


def functions(code):
    """Each function's name, whether it is static, and where its body begins and ends in the text."""
    bare = TOKEN.sub(blank, code)
    for found in DEFINITION.finditer(bare):
        start = found.end() - 1
        yield found[2], "static" in found[1], start, start + len(body_at(bare, start))


def writers_of(code):
    """Names of the functions that hand back JSON they have written, and those of them for this file only."""
    everywhere, here = set(), set()
    for name, is_static, start, end in functions(code):
        body = code[start:end]
        if WRITES.search(body) and HANDS_BACK.search(body):
            (here if is_static else everywhere).add(name)
    return everywhere, here


def is_made(expression, before, writers, seen=frozenset()):
    """Whether the text was made in this process; `before`: the function up to the call."""
    if MADE.search(expression) or writers & set(re.findall(r"\b(\w+)\s*\(", expression)):
        return True
    for name in set(re.findall(r"(?<![\w.>])([a-z_]\w*)\b(?!\s*\()", expression)) - seen:
        given = re.findall(rf"(?<![\w.>]){name}\s*=(?!=)\s*([^;]*);", before)
        filled = re.findall(rf"\b(\w+)(?=\([^;]*&{name}\b)", before)
        if writers & set(filled) or any(is_made(value, before, writers, seen | {name}) for value in given):
            return True
    return False


def parsed_again(code, writers):
    """Where a parser gets text that was made here."""
    for _, _, start, end in functions(code):
        for call in CALL.finditer(code, start, end):
            text = parts_of(inside_brackets(code, call.end()))[PARSERS[call[1]]]
            if is_made(text, code[start:call.start()], writers):
                yield call.start(), f"{call[1]} of {text}"


def files():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(HOMES):
                yield name, without_comments(path.read_text(encoding="utf-8"))


def faults():
    sources = dict(files())
    local = {name: writers_of(code) for name, code in sources.items()}
    everywhere = set().union(*(found for found, _ in local.values()))
    for name, code in sources.items():
        for at, what in parsed_again(code, everywhere | local[name][1]):
            yield name, f"{name}:{line_of(code, at)} parses what was made here ({what}): base/json/json_build.h"


def texts_made_here():
    for name, fault in faults():
        if name not in ALLOWED:
            yield fault


def idle_exceptions():
    for name in sorted(set(ALLOWED) - {name for name, _ in faults()}):
        yield f"{name} needs no exception any more"


SAMPLES = {
    'TRY(json_parse(ctx, STR("{}"), limits, &json));': True,
    "TRY(json_parse_apart(ctx, buf_str(w->out), limits, &json));": True,
    'Str text = STR("{}");\n TRY(json_parse(ctx, text, limits, &json));': True,
    "Str text = buf_str(w.out);\n Str kept = str_dup(arena, text);\n TRY(json_parse(ctx, kept, limits, &json));": True,
    "TRY(write_all(ctx, &text));\n TRY(json_parse(ctx, text, limits, &json));": True,
    "TRY(json_build_text(ctx, b, json_text(arena, other), limits));": True,
    "TRY(json_parse(ctx, row_json(&rows, 0, DATA), limits, &json));": False,
    'Str text = row_text(&rows, 0, DATA);\n TRY(json_parse(ctx, text, limits, &json));\n fail(ctx, "text");': False,
    'value = json_get(body, STR("of"));\n TRY(json_build_text(ctx, b, json_str(value), limits));': False,
}


def unseen_samples():
    writer = "Err write_all(struct ctx *ctx, Str *ret)\n{\n struct json_writer w = json_writer(out);\n *ret = buf_str(w.out);\n}\n"
    for body, is_fault in SAMPLES.items():
        code = f"{writer}Err run(struct ctx *ctx)\n{{\n {body}\n}}\n"
        if bool(list(parsed_again(code, writers_of(code)[0]))) != is_fault:
            yield f"{'not seen' if is_fault else 'wrongly seen'}: {body}"


CLAIMS = {
    "no_json_is_printed_to_be_parsed_again": texts_made_here,
    "each_exception_is_needed": idle_exceptions,
    "the_check_sees_what_it_is_for": unseen_samples,
}


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
