#!/usr/bin/env python3
"""The snippets of CONTRIBUTING.md compile: its C against the tree, with its route and its statement generated."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from layers import LAYERS, ROOT, tell

BLOCK = re.compile(r"^( *)```(c|sql)\n(.*?)^\1```", re.M | re.S)
FLAGS = ["-std=gnu2x", "-D_GNU_SOURCE", "-DSPARK_VERSION=\"x\"", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]


def build():
    for folder in (os.environ.get("SPARK_BUILD_DIR"), "build/asan", "build/release", "build/dev"):
        if folder and (ROOT / folder / "layers" / "gen").is_dir():
            return ROOT / folder
    sys.exit("no build folder: tools/build.sh asan")


def snippets():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        indent = len(match[1])
        lines = [line[indent:] for line in match[3].splitlines()]
        heading = re.findall(r"^## (.*)$", text[:match.start()], re.M)[-1]
        yield heading, match[2], "\n".join(lines) + "\n"


def generate(temporary, route, sql):
    """gen/routes/*.h and gen/sql.h of the tree with the route and the statement of the page."""
    families = temporary / "server" / "api"
    for path in (ROOT / "server/api").glob("*/routes.def"):
        (families / path.parent.name).mkdir(parents=True)
        shutil.copy(path, families / path.parent.name / "routes.def")
    with open(families / "factory" / "routes.def", "a", encoding="utf-8") as table:
        table.write("\n" + route)
    statements = temporary / "greetings.sql"
    statements.write_text(sql, encoding="utf-8")
    tools = ROOT / "tools"
    for command in ([tools / "gen_routes.py", "--root", temporary, "--out", temporary / "gen"],
                    [tools / "gen_statements.py", "--out", temporary / "gen", statements]):
        done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            yield f"{command[0].name}: {done.stdout}{done.stderr}".strip()


def compiled(temporary, heading, code):
    source = temporary / "snippet.c"
    # Headers of the tree want statements of the tree; the page's own handler wants the page's.
    includes = [f"-I{temporary}"] if "GREETING" in code else []
    includes += [f"-I{build() / 'layers' / layer}" for layer in [*LAYERS, "gen"]] + [f"-I{ROOT / 'include'}"]
    source.write_text(code, encoding="utf-8")
    done = subprocess.run(["cc", *FLAGS, "-Wno-unused-function", *includes, str(source)], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        yield f"{heading}: {done.stderr.splitlines()[0] if done.stderr else 'does not compile'}"


def faults():
    found = list(snippets())
    routes = [code for _, kind, code in found if kind == "c" and code.startswith("ROUTE(")]
    sql = [code for _, kind, code in found if kind == "sql" and "-- name:" in code]
    if len(routes) != 1 or len(sql) != 1:
        yield "the page shows one route and one statement"
        return
    with tempfile.TemporaryDirectory() as folder:
        temporary = pathlib.Path(folder)
        yield from generate(temporary, routes[0], sql[0])
        for heading, kind, code in found:
            if kind == "c" and code not in routes:
                yield from compiled(temporary, heading, code)


def missing():
    headings = {heading for heading, kind, _ in snippets() if kind == "c"}
    for wanted in ("Add a route", "Add a job", "Add a reader of queries", "Add a subscriber of changes"):
        if wanted not in headings:
            yield f"'{wanted}' shows no C"


CLAIMS = {
    "every_snippet_compiles": faults,
    "what_comes_often_has_a_snippet": missing,
}

if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
