#!/usr/bin/env python3
"""Layers: what a file may include, which files may name a library's types, how full a folder may be."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Each layer, its folder, and the layers right below it. A file includes its own layer and whatever can be
# reached downwards; content and jobs are sisters, and so are visitors and factory.
LAYERS = {
    "base": ("core/base", ()),
    "io": ("core/io", ("base",)),
    "access": ("core/access", ("io",)),
    "content": ("core/content", ("access",)),
    "jobs": ("core/jobs", ("access",)),
    "visitors": ("core/visitors", ("content", "jobs")),
    "factory": ("core/factory", ("content", "jobs")),
    "runtime": ("extensions/runtime", ("visitors", "factory")),
    "server": ("server", ("runtime",)),
    "workers": ("workers", ("runtime",)),
    "cli": ("cli", ("runtime",)),
    "app": ("app", ("server", "workers", "cli")),
}

FILES_IN_FOLDER_MAX = 30
# One line through time, not a shelf: nobody looks for a subject there.
UNLIMITED_FOLDERS = {"schema/migrations"}
# Inputs of fuzzers are data; packages from elsewhere are not ours to sort.
DATA_FOLDERS = {"corpus", "node_modules"}

LIBRARY = {
    "h2o": r"\bh2o_\w+", "libpq": r"\bPG(?:conn|result)\b", "hiredis": r"\bredis(?:Reply|Reader|Context|AsyncContext)\b",
    "jansson": r"\bjson_t\b", "libjwt": r"\bjwt_t\b", "pcre2": r"\bpcre2_\w+", "curl": r"\bCURL\w*\b",
}
# A header private to the module that wraps the library says so in its first comment.
PRIVATE_HEADERS = {"base/json/json_jansson.h", "io/pg/db_internal.h", "io/pg/migrate_internal.h", "io/pg/lanes/db_request.h", "io/pg/session/db_connect.h",
                   "io/pg/session/db_connection.h", "io/pg/session/db_statement.h", "io/net/http_pool.h",
                   "io/redis/redis_connection.h", "server/http/conn.h", "server/http/exchange.h"}

INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', flags=re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", flags=re.S)


def sources():
    for layer, (folder, _) in LAYERS.items():
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            yield path, layer


def spelling(path, layer):
    """How another file includes this one."""
    return f"{layer}/{path.relative_to(ROOT / LAYERS[layer][0])}"


def reached(layer):
    found = {layer}
    for below in LAYERS[layer][1]:
        found |= reached(below)
    return found


def wrong_includes():
    for path, layer in sources():
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            other = name.split("/")[0]
            if other in LAYERS and other not in reached(layer):
                yield f"{path.relative_to(ROOT)} includes {name}"


def full_folders():
    for top in ("tests", "core", "server", "workers", "cli", "extensions", "schema"):
        for folder in sorted(path for path in (ROOT / top).rglob("*") if path.is_dir() and not DATA_FOLDERS & set(path.parts)):
            count = sum(path.is_file() for path in folder.iterdir())
            if count > FILES_IN_FOLDER_MAX and str(folder.relative_to(ROOT)) not in UNLIMITED_FOLDERS:
                yield f"{folder.relative_to(ROOT)} has {count} files, at most {FILES_IN_FOLDER_MAX} are wanted"


def leaked_types():
    for path, layer in sources():
        name = spelling(path, layer)
        if path.suffix != ".h" or name in PRIVATE_HEADERS:
            continue
        code = COMMENT.sub("", path.read_text(encoding="utf-8"))
        for library, pattern in LIBRARY.items():
            if re.search(pattern, code):
                yield f"{path.relative_to(ROOT)} names a type of {library}"


def impure_extensions():
    for path in sorted((ROOT / "extensions").glob("*/*.[ch]")):
        if path.parent.name == "runtime":
            continue
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if not (path.parent / name).exists():
                yield f"{path.relative_to(ROOT)} includes {name}: an extension sees include/ only"


CLAIMS = {
    "a_file_includes_its_own_layer_and_those_below": wrong_includes,
    "no_folder_is_too_full_to_read": full_folders,
    "library_types_stop_in_the_module_that_wraps_them": leaked_types,
    "extensions_see_only_the_public_header": impure_extensions,
}


def tell(claims):
    """Prints each claim with its faults as TAP; returns the status to exit with."""
    failed = 0
    for number, (name, find) in enumerate(claims.items(), 1):
        faults = list(find())
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    print(f"1..{len(claims)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
