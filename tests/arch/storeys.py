#!/usr/bin/env python3
"""The walls of the house: what a file may include, and which files may name a library's types."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# From the ground up; a file includes its own storey and those before it.
STOREYS = ["base", "io", "access", "content", "jobs", "factory", "host", "server", "workers", "cli"]
FOLDERS = {
    "core/base": "base", "core/io": "io", "core/access": "access", "core/content": "content",
    "core/jobs": "jobs", "core/factory": "factory", "extensions/host": "host", "server": "server",
    "workers": "workers", "cli": "cli",
}
# Faces are sisters: none includes another. The one executable starts them by their main.h.
FACES = {"server", "workers", "cli"}
ALLOWED_ACROSS = {("cli", "server/main.h"), ("cli", "workers/main.h")}

LIBRARY = {
    "h2o": r"\bh2o_\w+", "libpq": r"\bPG(?:conn|result)\b", "hiredis": r"\bredis(?:Reply|Reader|Context|AsyncContext)\b",
    "jansson": r"\bjson_t\b", "libjwt": r"\bjwt_t\b", "pcre2": r"\bpcre2_\w+", "curl": r"\bCURL\w*\b",
}
# A header private to the module that wraps the library says so in its first comment.
PRIVATE_HEADERS = {"io/db_internal.h", "io/db_connect.h", "io/http_pool.h", "server/exchange.h", "server/conn.h", "io/db_statement.h",
                   "io/redis_connection.h", "io/db_connection.h", "io/db_request.h"}

INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', flags=re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", flags=re.S)


def sources():
    for folder, storey in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            yield path, storey


def storey_of_include(name):
    first = name.split("/")[0]
    return first if first in STOREYS else None


def wrong_includes():
    for path, storey in sources():
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            below = storey_of_include(name)
            if below is None or (storey, name) in ALLOWED_ACROSS:
                continue
            is_above = STOREYS.index(below) > STOREYS.index(storey)
            is_sister = below in FACES and storey in FACES and below != storey
            if is_above or is_sister:
                yield f"{path.relative_to(ROOT)} includes {name}"


def leaked_types():
    for path, storey in sources():
        name = f"{storey}/{path.name}"
        if path.suffix != ".h" or name in PRIVATE_HEADERS:
            continue
        code = COMMENT.sub("", path.read_text(encoding="utf-8"))
        for library, pattern in LIBRARY.items():
            if re.search(pattern, code):
                yield f"{path.relative_to(ROOT)} names a type of {library}"


def impure_extensions():
    for path in sorted((ROOT / "extensions").glob("*/*.[ch]")):
        if path.parent.name == "host":
            continue
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if not (path.parent / name).exists():
                yield f"{path.relative_to(ROOT)} includes {name}: an extension sees include/ only"


def long_files():
    for path, _ in sources():
        lines = path.read_text(encoding="utf-8").count("\n")
        most = 150 if path.suffix == ".h" and "spark.h" not in path.name else 600
        if lines > most and path.name not in {"db.h", "fiber.h"}:
            yield f"{path.relative_to(ROOT)} has {lines} lines, at most {most} are wanted"


CLAIMS = {
    "a_file_includes_its_own_storey_and_those_below": wrong_includes,
    "library_types_stop_in_the_module_that_wraps_them": leaked_types,
    "extensions_see_only_the_public_header": impure_extensions,
    "files_stay_within_their_length": long_files,
}


def main():
    failed = 0
    for number, (name, find) in enumerate(CLAIMS.items(), 1):
        faults = list(find())
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(CLAIMS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
