#!/usr/bin/env python3
"""Statements with many parameters have names for them, and each call gives each name a value."""

import re
import sys

from layers import ROOT, tell

sys.path.insert(0, str(ROOT / "tools"))

import gen_statements  # noqa: E402

POSITIONAL_MAX = 6
FOLDERS = ["core", "server", "workers", "cli", "extensions", "tests/db", "tests/unit"]
OPEN, CLOSE = "({[", ")}]"


def body_at(text, opening):
    """What stands between the bracket at `opening` and its partner."""
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] in OPEN) - (text[at] in CLOSE)
        if depth == 0:
            return text[opening + 1:at]
    return text[opening + 1:]


def parts_of(body):
    """Split at the commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in body:
        depth += (letter in OPEN) - (letter in CLOSE)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def without_remarks(text):
    """Remarks and what is quoted become blanks: lines keep their numbers, brackets their partners."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)'",
                  lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.c")):
            yield path.relative_to(ROOT), without_remarks(path.read_text(encoding="utf-8"))


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def long_lists(path, text):
    """ARGS(…) and lists of DbArg that are longer than an eye can check; but the driver's tests have one of
    every type."""
    if path.name.startswith("test_db_"):
        return
    for match in re.finditer(r"\bARGS(?=\()|\bDbArg\s+\w+\[\w*\] = (?=\{)", text):
        count = len(parts_of(body_at(text, match.end())))
        if count > POSITIONAL_MAX:
            yield f"{path}:{line_of(text, match.start())}: {count} positional arguments"
    for match in re.finditer(r"\b\w+\[(\d+)\] = db_\w+\(", text):
        if int(match[1]) >= POSITIONAL_MAX:
            yield f"{path}:{line_of(text, match.start())}: an argument by its number {match[1]}"


def missing_fields(path, text, params):
    """struct x_args that is written down without one of its fields."""
    for match in re.finditer(r"\bstruct (\w+)_args\b(?: \w+ =|\)) ?(?=\{)", text):
        if match[1] in params:
            parts = parts_of(body_at(text, match.end()))
            given = {m[1] for part in parts if (m := re.match(r"\.(\w+) =", part))}
            if absent := [name for name in params[match[1]] if name not in given]:
                yield f"{path}:{line_of(text, match.start())}: {match[1]}_args without {', '.join(absent)}"


def wrong_pairs(path, text, params):
    """Arguments made for another statement than the one beside them."""
    for match in re.finditer(r"&SQL_(\w+),\s*(\w+)(?=\()", text):
        made_for = match[2].removesuffix("_args")
        if match[2].endswith("_args") and made_for in params and made_for != match[1].lower():
            yield f"{path}:{line_of(text, match.start())}: {match[1]} with {match[2]}"
        if match[2] == "ARGS" and match[1].lower() in params:
            yield f"{path}:{line_of(text, match.start())}: {match[1]} has names, and is called by position"


def main():
    statements = [s for path in sorted((ROOT / "schema/queries").glob("*.sql")) for s in gen_statements.read_file(path)]
    params = {s.name: [param.name for param in s.params] for s in statements if s.params}
    files = list(sources())
    claims = {
        "more_than_six_parameters_have_names": [
            f"{s.where}: {s.name}" for s in statements if not s.params
            and any(int(number) > POSITIONAL_MAX for number in re.findall(r"\$(\d+)", s.sql()))],
        "no_call_has_more_than_six_positional_arguments": [
            found for path, text in files for found in long_lists(path, text)],
        "each_field_of_arguments_is_given": [
            found for path, text in files for found in missing_fields(path, text, params)],
        "arguments_stand_beside_their_own_statement": [
            found for path, text in files for found in wrong_pairs(path, text, params)],
        "the_calls_were_found": [] if len(params) <= sum(
            len(set(re.findall(r"\bstruct (\w+)_args\b(?: \w+ =|\))", text)) & set(params)) for _, text in files)
        else ["fewer calls than statements with names"],
    }
    return tell({name: found.__iter__ for name, found in claims.items()})


if __name__ == "__main__":
    sys.exit(main())
