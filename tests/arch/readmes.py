#!/usr/bin/env python3
"""READMEs and ARCHITECTURE.md: what they name is there, and each module has one that says its public headers."""

import re
import sys

from layers import LAYERS, ROOT, tell
from modules import MODULES

NAME = re.compile(r"`([\w./<>*{},-]+\.(?:c|h|sql|def|py|lua|md|mjs))`")
PUBLIC = re.compile(r"Public: (.*?)(?:\.\s|\.$)", re.S | re.M)
SKIPPED = {"node_modules", "build", ".git", "var"}
# Names that stand for many, and what the build generates.
EXAMPLES = re.compile(r"[<>*{}]|NNNN|^name\.|^gen/")


def files():
    return {path.relative_to(ROOT).as_posix() for top in ROOT.iterdir() if top.name not in SKIPPED
            for path in ([top] if top.is_file() else top.rglob("*"))
            if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts)}


def pages():
    yield ROOT / "ARCHITECTURE.md"
    for top in ("app", "core", "server", "workers", "cli", "extensions", "schema"):
        yield from sorted((ROOT / top).rglob("README.md"))


def lost_names():
    there = files()
    for page in pages():
        for name in NAME.findall(page.read_text(encoding="utf-8")):
            if not EXAMPLES.search(name) and not any(path == name or path.endswith("/" + name) for path in there):
                yield f"{page.relative_to(ROOT)}: there is no {name}"


def modules():
    for layer, rows in MODULES.items():
        for module, headers in rows.items():
            yield ROOT / LAYERS[layer][0] / module, headers


def silent_modules():
    for folder, _ in modules():
        if "api" not in folder.parts[:-1] and not (folder / "README.md").is_file():
            yield f"{folder.relative_to(ROOT)} has no README.md"


def other_headers():
    for folder, headers in modules():
        page = folder / "README.md"
        if not page.is_file():
            continue
        said = PUBLIC.search(page.read_text(encoding="utf-8"))
        names = set(re.findall(r"`([\w.]+\.h)`", said[1])) if said else set()
        wanted = {header for header in headers if header.endswith(".h")}
        if names != wanted:
            yield f"{page.relative_to(ROOT)} says {sorted(names)}, modules.py {sorted(wanted)}"


CLAIMS = {
    "what_a_page_names_is_there": lost_names,
    "every_module_has_a_readme": silent_modules,
    "readmes_and_modules_py_agree_on_public_headers": other_headers,
}

if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
