#!/usr/bin/env python3
"""Writes docs/reference.md from the tables (*.def) that generate the code.

With --check it writes nothing and fails when the file is not what the tables say.
"""

import pathlib
import re
import sys

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
    forms = {"FORM_POSTGRES": "a PostgreSQL URL", "FORM_POOLER": "`transaction`", "FORM_REDIS": "a Redis URL", "FORM_HTTP": "http(s)://…", "FORM_SMTP": "smtp(s)://…"}
    for row in rows("core/base/settings/settings.def", "SETTING_URL"):
        yield row[1], row[2], forms[row[3]], row[4]
    for row in rows("core/base/settings/settings.def", "SETTING_SECRET"):
        yield row[1], "", "secret" if row[2] == "0" else f"secret, {row[2]} characters or more", row[3]
    for row in rows("core/base/settings/settings.def", "SETTING_INT"):
        yield row[1], row[2], f"{row[3]} … {row[4]} {row[5]}".strip(), row[6]
    for row in rows("core/base/settings/settings.def", "SETTING_BOOL"):
        yield row[1], row[2], "true, false", row[3]


GUARDS = {
    "GUARD_OPEN": "nobody is asked", "GUARD_PUBLIC": "anybody", "GUARD_PROBE": "anybody",
    "GUARD_VISITOR": "visitors of a site",
    "GUARD_MEMBER": "any token", "GUARD_ADMIN": "administrators", "GUARD_GOD": "X-God-Token",
}
BODIES = {
    "BODY_NONE": "none", "BODY_TRACK": "8 KiB", "BODY_PUBLIC": "16 KiB", "BODY_FORM": "64 KiB",
    "BODY_CONTENT": "`MAX_PAYLOAD_SIZE`", "BODY_BULK": "`BULK_PAYLOAD_SIZE`",
}


def routes():
    return table(["method", "path", "who", "body", "what it does"],
                 [[r[0], f"`{r[1]}`", GUARDS[r[3]], BODIES[r[4]], r[5]] for r in rows("server/dispatch/routes.def", "ROUTE")])


def rates():
    outage = {"RATE_OPEN": "nobody is counted", "RATE_CLOSED": "503"}
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
    return table(["code", "status", "message", "worth another try"], lines)


def counters():
    return table(["name", "kind", "what it counts"],
                 [[f"`spark_{r[0]}`", r[1], r[2]] for r in rows("core/base/system/counters.def", "COUNTER")])


def jobs():
    return table(["kind", "timeout (s)", "what it does"],
                 [[f"`{r[0]}`", r[2], r[3]] for r in rows("workers/jobs.def", "JOB")])


def faults():
    return table(["name", "what happens"], [[f"`{r[0]}`", r[1]] for r in rows("core/base/system/fault.def", "FAULT")])


def page():
    out = ["# Reference", "",
           "Made by `make docs` from the tables that generate the code; edit those, not this.", "",
           "## Routes", "", *routes(),
           "## Rates", "", "Requests of one address to one site; `RATE_LIMITER_ENABLED=false` lifts them.", "",
           *rates(),
           "## Settings", "", "From the environment; secrets also from a file named by `NAME_FILE`.", "", *settings(),
           "## Errors", "",
           "`/api` and `/god` answer `{\"error\":true,\"message\",\"code\"}`, all other routes Directus' "
           "`{\"errors\":[{\"message\",\"extensions\":{\"code\"}}]}`.", "", *errors(),
           "## Jobs", "", *jobs(),
           "## Counters", "", "At `/metrics`.", "", *counters(),
           "## Faults", "", "Places where a test can make a process fail (`SPARK_FAULT=name[:n]`, sanitizer builds only).",
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
