#!/usr/bin/env python3
"""Scope and actor: constant, made at few edges, changed only by a child that says why."""

import re
import sys

from layers import COMMENT, sources, spelling, tell

# Where a ctx begins. Everybody else is given one, or makes a child (base/system/ctx.h).
EDGES = {
    "base/system/ctx.c": "successors and children",
    "io/reactor/reactor.c": "the machinery of a thread, jobs, action hooks",
    "server/dispatch/dispatch.c": "a request, before its caller is known; its answer, after the end",
    "access/identity/current.c": "a pause of changes, which is nobody's",
    "content/schema/schema_load.c": "parses into the memory of a schema",
    "access/identity/policies.c": "parses into the memory of a cache",
    "content/plan/row_types.c": "parses into memory of its own",
    "content/items/payload_cell.c": "parses; what it says of a fault is not shown",
    "server/rest/rest_export.c": "parses into memory of one row",
    "jobs/queue/lease.c": "the heartbeat's thread before it has a reactor",
    "workers/run_job.c": "tells Redis what has ended, between two turns of the loop",
    "workers/main.c": "the process before it has a reactor",
    "server/main.c": "the process before it has a reactor",
    "app/main.c": "the command line",
    "cli/process/process_log.c": "parses lines of a log",
}
MADE = re.compile(r"\(struct ctx\)\s*\{|\bstruct ctx \w+ = [{*]|struct cli \w+ = \{\.ctx")
CHILD = re.compile(r"\b(ctx_for_site|ctx_for_platform|ctx_for_actor|ctx_as_machinery)\(([^;]*?)\);", re.S)
BENEATH = re.compile(r"memcpy\([^;]*->(?:scope|actor)\b|\(Scope \*\)|\(struct ctx \*\)\(uintptr_t\)")


def code(path):
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def other_edges():
    used = set()
    for path, layer in sources():
        name = spelling(path, layer)
        if MADE.search(code(path)):
            used.add(name)
            if name not in EDGES:
                yield f"{name} makes a ctx of its own: make a child (base/system/ctx.h), or add the edge here"
    for name in EDGES.keys() - used:
        yield f"{name} makes no ctx any more"


def children():
    for path, layer in sources():
        name = spelling(path, layer)
        if name.startswith("base/system/ctx"):
            continue
        for match in CHILD.finditer(code(path)):
            yield name, match[1], " ".join(match[2].split()), code(path)[:match.start()].splitlines()[-3:]


def silent_children():
    for name, maker, arguments, _ in children():
        if not arguments.endswith('"') and not arguments.endswith("WHY"):
            yield f"{name}: {maker}({arguments}) says no reason"


def leaking_children():
    for name, maker, arguments, before in children():
        if not any("SCOPED_CTX" in line for line in before):
            yield f"{name}: the child of {maker}({arguments}) is not SCOPED_CTX: its errors would be lost"


def written_beneath():
    for path, layer in sources():
        name = spelling(path, layer)
        if name != "base/system/ctx.c" and BENEATH.search(code(path)):
            yield f"{name} writes over a constant of a ctx"


def reason(arguments):
    parts = arguments.split('"')
    return parts[1] if len(parts) > 1 else arguments


def listed():
    for name, maker, arguments, _ in children():
        print(f"# {name}: {maker}: {reason(arguments)}")


CLAIMS = {
    "a_ctx_begins_at_an_edge_that_is_listed": other_edges,
    "every_child_says_why": silent_children,
    "every_child_gives_its_errors_back": leaking_children,
    "nobody_writes_over_scope_or_actor": written_beneath,
}

if __name__ == "__main__":
    listed()
    sys.exit(tell(CLAIMS))
