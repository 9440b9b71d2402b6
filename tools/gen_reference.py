#!/usr/bin/env python3
"""Writes docs/reference.md from the tables (*.def) that generate the code.

With --check it writes nothing and fails when the file is not what the tables say.
"""

import pathlib
import re
import sys

from gen_routes import any_of
from route_table import read_families

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference.md"

STRING = r'"((?:[^"\\]|\\.)*)"'


def rows(path, macro):
    """The arguments of each MACRO(...) of a table: strings unquoted, other tokens as they are."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(encoding="utf-8"), flags=re.S)
    found = []
    for match in re.finditer(rf"^{macro}\(((?:{STRING}|[^()\"])*)\)", text, flags=re.M):
        found.append([clean(part) for part in split(match[1])])
    return found


def split(arguments):
    """At commas outside strings."""
    return [m[0] for m in re.finditer(rf"(?:{STRING}|[^,\"])+", arguments)]


def clean(argument):
    strings = re.findall(STRING, argument)
    return "".join(strings) if strings else argument.strip()


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    out += ["| " + " | ".join(cell.replace("|", "\\|") or " " for cell in line) + " |" for line in lines]
    return out + [""]


def settings():
    lines = []
    for name, default, extra, help_ in setting_rows():
        lines.append([f"`{name}`", f"`{default}`" if default else "", extra, help_])
    return table(["name", "default", "range", "what it does"], lines)


def setting_rows():
    for row in rows("core/base/settings/settings.def", "SETTING_STR"):
        yield row[1], row[2], "secret" if row[3] == "true" else "", row[4]
    forms = {"FORM_POSTGRES": "a PostgreSQL URL", "FORM_POOLER": "`transaction`", "FORM_REDIS": "a Redis URL", "FORM_HTTP": "http(s)://…", "FORM_SMTP": "smtp(s)://…",
             "FORM_COOKIE_NAME": "a name of a cookie", "FORM_COOKIE_DOMAIN": "a domain", "FORM_SAME_SITE": "`lax`, `strict`, `none`"}
    for row in rows("core/base/settings/settings.def", "SETTING_URL"):
        yield row[1], row[2], forms[row[3]], row[4]
    for row in rows("core/base/settings/settings.def", "SETTING_SECRET"):
        yield row[1], "", "secret" if row[2] == "0" else f"secret, {row[2]} characters or more", row[3]
    for row in rows("core/base/settings/settings.def", "SETTING_INT"):
        yield row[1], row[2], f"{row[3]} … {row[4]} {row[5]}".strip(), row[6]
    for row in rows("core/base/settings/settings.def", "SETTING_BOOL"):
        yield row[1], row[2], "true, false", row[3]


GUARDS = {
    "GUARD_OPEN": "anybody; credentials are ignored", "GUARD_PUBLIC": "anybody", "GUARD_PROBE": "anybody",
    "GUARD_VISITOR": "visitors of a site",
    "GUARD_MEMBER": "any token", "GUARD_ADMIN": "administrators", "GUARD_GOD": "X-God-Token",
}
BODIES = {
    "BODY_NONE": "none", "BODY_TRACK": "8 KiB", "BODY_PUBLIC": "16 KiB", "BODY_FORM": "64 KiB",
    "BODY_CONTENT": "`MAX_PAYLOAD_SIZE`", "BODY_BULK": "`BULK_PAYLOAD_SIZE`",
}


SITES = {
    "SITE_NONE": "none", "SITE_CALLER": "the caller's", "SITE_HOST": "the hostname's", "SITE_HOST_OR_NONE": "the hostname's, if any",
    "SITE_PLATFORM": "the platform", "SITE_NAMED": "`site_id`", "SITE_NAMED_OR_PLATFORM": "`site_id`, or all",
}


def site_of(route):
    if route.site != "SITE_OF":
        return SITES[route.site]
    return "`site_id`, or that of " + any_of([f"`{name}`" for name in route.subjects])


def routes(families):
    return table(["method", "path", "who", "site", "body", "what it does"],
                 [[r.method, f"`{r.pattern}`", GUARDS[r.guard], site_of(r), BODIES[r.body], r.summary]
                  for family in families for r in family.routes])


def constant(name):
    """What a header of core says that a limit is."""
    for path in sorted((ROOT / "core").rglob("*.h")):
        found = re.search(rf"\b{name}\s*=\s*([^,}}/]+)|^#define {name} (.+)$", path.read_text(encoding="utf-8"), flags=re.M)
        if found:
            return evaluated((found[1] or found[2]).strip())
    return name


def evaluated(text):
    """A constant expression of C; what is no number stays as it is."""
    text = re.sub(r"INT64_C\((\d+)\)", r"\1", text)
    text = re.sub(r"\b(?!INT64_MAX\b)[A-Z][A-Z0-9_]+\b", lambda m: str(constant(m[0])), text)
    return eval(text) if re.fullmatch(r"[\d\s*+()<-]+", text) else text


def limit(text):
    value = evaluated(text)
    return "any" if value == "INT64_MAX" else f"{value:,}" if isinstance(value, int) else value


TYPES = {"BOOL": "true, false", "UUID": "UUID", "MONEY": "amount", "OBJECT": "object", "JSON": "any", "ANY": "any"}


def type_of(field):
    if "CHOICES" in field.options:
        return ", ".join(f"`{choice}`" for choice in field.options["CHOICES"])
    if field.type == "INT":
        return f"{limit(field.limits[0])} … {limit(field.limits[1])}".replace("… any", "or more")
    if field.type == "IDS":
        return f"1 … {limit(field.limits[0])} UUIDs"
    if field.type == "TIME":
        return "ISO 8601"
    if field.type in ("TEXT", "SCALAR"):
        return ("text" if field.type == "TEXT" else "text, number") + f", {limit(field.limits[0])}"
    return TYPES[field.type]


def notes_of(field):
    notes = ["required"] if {"REQUIRED", "FILLED"} & set(field.options) else []
    default = field.options.get("DEFAULT", [""])[0]
    if default and limit(default) != "any":
        notes.append("default " + (default.strip('"') if default.startswith('"') else limit(default)))
    notes += [f"only beside `{name}`" for name in field.options.get("WITH", [])]
    notes += [f"not read beside `{name}`" for name in field.options.get("UNLESS", [])]
    if field.alias():
        notes.append(f"or `{field.alias()}`")
    return "; ".join(notes)


def fields(families):
    out, family_of = [], {route.name: family for family in families for route in family.routes}
    for route in (r for family in families for r in family.routes):
        shapes = [shape for shape in route.shapes if shape.status != "2XX" and shape.help]
        if route.fields or route.replies or shapes:
            out += [f"### {route.method} {route.pattern}", ""]
        if route.fields:
            out += table(["field", "in", "type", "", "what it is"],
                         [[f"`{f.path}`", f.place.lower(), type_of(f), notes_of(f), f.help] for f in route.fields])
        if route.replies:
            out += table(["reply", "type", "", "what it is"], reply_lines(family_of[route.name], route.replies))
        if shapes:
            out += table(["body or status", "type", "what it is"],
                         [[f"`{s.status.lower()}`", shape_of(s), s.help] for s in shapes])
        for name in [s.group for s in shapes if s.group]:
            out += table(["reply", "type", "", "what it is"],
                         reply_lines(family_of[route.name], family_of[route.name].shapes()[name]))
    return out


SHAPES = {"FIELDS": "the fields", "REPLY": "the reply", "OBJECT": "object", "OBJECTS": "list of objects", "KEYS": "list of keys",
          "ITEM": "`data`: object", "ITEMS": "`data`: list of objects", "NOTHING": "nothing"}


def shape_of(shape):
    return shape.media if shape.type == "TEXT" else SHAPES[shape.type]


REPLY_TYPES = {"TRUE": "true", "BOOL": "true, false", "INT": "integer", "COUNT": "integer", "REAL": "number", "TEXT": "text", "UUID": "UUID", "TIME": "time",
                "RAW": "any", "TEXTS": "texts", "UUIDS": "UUIDs", "OBJECT": "object", "LIST": "list"}


def reply_lines(family, replies, above=""):
    for reply in replies:
        name = f"{above}{reply.name}" + ("[]" if reply.type == "LIST" else "")
        notes = {"NULLABLE": "or null", "OPTIONAL": "may be left out"}
        yield [f"`{name}`", REPLY_TYPES[reply.type], "; ".join(notes[o] for o in reply.options), reply.help]
        if reply.group:
            yield from reply_lines(family, family.shapes()[reply.group], name + ".")


def rates():
    outage = {"RATE_OPEN": "no limit", "RATE_CLOSED": "503"}
    return table(["class", "a minute", "an hour", "without Redis", "what"],
                 [[r[0].lower(), r[1], r[2] if r[2] != "0" else "", outage[r[3]], r[4]]
                  for r in rows("core/access/limits/rates.def", "RATE")])


def errors():
    seen, lines = set(), []
    for row in rows("core/base/system/err.def", "ERROR"):
        if row[2] not in seen:
            seen.add(row[2])
            lines.append([f"`{row[2]}`", row[1], row[3].replace("%s", "…"),
                          "yes" if row[4] == "RETRY_LATER" else ""])
    return table(["code", "status", "message", "retry"], lines)


def counters():
    return table(["name", "kind", "what it counts"],
                 [[f"`spark_{r[0]}`", r[1], r[2]] for r in rows("core/base/system/counters.def", "COUNTER")])


def job_kinds():
    """kind, timeout and help of each JOB_KIND("kind", run, scope, timeout, priority, "help", …)."""
    pattern = re.compile(rf"JOB_KIND\(\s*{STRING},\s*\w+,\s*\w+,\s*(\d+),\s*\w+,\s*((?:{STRING}\s*)+)", flags=re.S)
    for path in sorted((ROOT / "core").rglob("*.c")):
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            yield match[1], match[2], clean(match[3])


def jobs():
    return table(["kind", "timeout (s)", "what it does"],
                 sorted([f"`{kind}`", timeout_s, help_] for kind, timeout_s, help_ in job_kinds()))


FIELDS = {
    "ORDERED": "numbers, moments, other types", "EQUALS": "texts, UUIDs, booleans, numbers, moments, other types",
    "LISTS": "texts, UUIDs, numbers, moments, other types", "FILLED": "texts, hashes, other types",
    "TEXTS": "texts, other types", "GROUP_STRING": "texts", "EVERYWHERE": "every field", "NOWHERE": "none",
}
IN_RULES = {
    "RULE_SAME": "", "RULE_NULL": "null passes",
    "RULE_LISTED": "null in a list is passed over",
    "RULE_NULL | RULE_LISTED": "null passes; null in a list is passed over",
    "RULE_VALUE | RULE_LISTED": "what is no text counts as missing; null in a list is passed over",
    "RULE_NULL | RULE_PLAIN": "null passes; `%` and `_` stand for themselves",
    "RULE_PLAIN": "`%` and `_` stand for themselves",
    "RULE_VALUE": "what is no text or number to compare counts as missing",
    "RULE_VALUE | RULE_PLAIN": "what is no text counts as missing; `%` and `_` stand for themselves",
}


def operators():
    return table(["operator", "of which fields a filter knows it", "in validation rules, which know all on every field"],
                 [[f"`{r[1]}`", FIELDS[r[6]], IN_RULES[r[8]]] for r in rows("core/content/filter/operators.def", "OPERATOR")])


def faults():
    return table(["name", "what happens"], [[f"`{r[0]}`", r[1]] for r in rows("core/base/system/fault.def", "FAULT")])


def page():
    families = read_families()
    out = ["# Reference", "",
           "Generated by `make docs` from the tables that also generate the code; edit the tables, not this page.", "",
           "## Routes", "", *routes(families),
           "## Fields", "", "What routes take in the query or the body, and what they answer. A length is in characters, in a query in bytes.", "",
           *fields(families),
           "## Filter operators", "", "Of filters and of permissions; the rules that validate payloads take them from the same table.", "",
           *operators(),
           "## Rates", "", "Requests of one address to one site; `RATE_LIMITER_ENABLED=false` removes the limits.", "",
           *rates(),
           "## Settings", "", "From the environment or a configuration file; the value of a secret may also be in a file named by `NAME_FILE`.", "", *settings(),
           "## Errors", "",
           "`/api` and `/god` answer `{\"error\":true,\"message\",\"code\"}`, all other routes Directus' "
           "`{\"errors\":[{\"message\",\"extensions\":{\"code\"}}]}`.", "", *errors(),
           "## Jobs", "", *jobs(),
           "## Counters", "", "At `/metrics`.", "", *counters(),
           "## Faults", "", "Points at which a test can make a process fail (`SPARK_FAULT=name[:n]`, sanitizer builds only).",
           "", *faults()]
    return "\n".join(out).rstrip() + "\n"


def main():
    text = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            print("docs/reference.md is not what the tables say: run make docs", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
