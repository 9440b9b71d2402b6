#!/usr/bin/env python3
"""Asserts per function, by layer: where a wrong step reaches another tenant's rows, code says what must hold.

An assert states what a reader would otherwise must prove: a precondition, a state, a count. It never states what
comes from outside, since it ends the process; static_assert counts as well.
"""

import re
import sys

from fibers import DEFINITION, read
from layers import LAYERS, ROOT, tell

LEAST = 0.5
HELD = ("io", "access", "content", "jobs")

ASSERT = re.compile(r"\b(?:static_)?assert\s*\(")


def counts(layer):
    functions = asserts = 0
    for path in sorted((ROOT / LAYERS[layer][0]).rglob("*.[ch]")):
        code = read(path)
        functions += sum(1 for _ in DEFINITION.finditer(code))
        asserts += len(ASSERT.findall(code))
    return functions, asserts


def careless_layers():
    for layer in HELD:
        functions, asserts = counts(layer)
        if asserts < functions * LEAST:
            yield f"{layer} has {asserts} asserts in {functions} functions, at least {LEAST} a function are wanted"


CLAIMS = {"code_below_the_tenants_boundary_says_what_must_hold": careless_layers}


if __name__ == "__main__":
    status = tell(CLAIMS)
    for name in LAYERS:
        of_functions, of_asserts = counts(name)
        print(f"# {name}: {of_asserts} asserts in {of_functions} functions, {of_asserts / max(of_functions, 1):.2f} a function")
    sys.exit(status)
