#!/usr/bin/env python3
"""Who may wait says so: the mark fiber_fn, followed through the call graph.

A function that calls one marked fiber_fn is marked itself, or is the root of a fiber (its address is
given to fiber_spawn or group_spawn). So a callback of a library, which is neither, cannot wait.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["core", "extensions/runtime", "server", "workers", "cli"]

NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', flags=re.S)
# A function, or a pointer to one: `fiber_fn Err (*before)(…)`.
MARKED = re.compile(r"\bfiber_fn\s+[\w\s*]*?(?:\b(\w+)\s*\((?!\s*\*)|\(\s*\*\s*(\w+)\s*\)\s*\()")
DEFINITION = re.compile(r"^(?!\s|#|typedef|enum|struct\s+\w+\s*\{)([\w\s*\[\]]*?)\b(\w+)\s*\(([^;{}]*)\)\s*\n\{", flags=re.M)
ROOT_OF_FIBER = re.compile(r"\b(?:fiber_spawn|group_spawn)\s*\(([^;]*)\)\s*;", flags=re.S)
CALL = re.compile(r"\b(\w+)\s*\(")
# Words that look like calls.
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "assert", "defined"}


def read(path):
    return NOISE.sub(" ", path.read_text(encoding="utf-8"))


def body_at(text, start):
    depth, position = 0, start
    while position < len(text):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
        if depth == 0:
            break
    return text[start:position]


def functions(path, text):
    for match in DEFINITION.finditer(text):
        yield match[2], "fiber_fn" in match[1], body_at(text, match.end() - 1), path


def main():
    marked, roots, all_functions, local = set(), set(), [], {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            text = read(path)
            names = {function or pointer for function, pointer in MARKED.findall(text)}
            # A static function is marked in its file only.
            statics = {name for name in names if re.search(rf"\bstatic\b[^;{{}}]*\bfiber_fn\b[^;{{}}]*\b{name}\s*\(", text)}
            marked |= names - statics
            local[path] = statics
            for arguments in ROOT_OF_FIBER.findall(text):
                roots |= {(path, word) for word in re.findall(r"\w+", arguments)}
                roots |= {(None, word) for word in re.findall(r"\w+", arguments)}
            all_functions += list(functions(path, text))

    faults = []
    for name, is_marked, body, path in all_functions:
        is_marked = is_marked or name in marked or name in local[path]
        is_root = (path, name) in roots or (None, name) in roots
        waits = sorted({call for call in CALL.findall(body)
                        if (call in marked or call in local[path]) and call not in KEYWORDS and call != name})
        if waits and not is_marked and not is_root:
            faults.append(f"{path.relative_to(ROOT)}: {name} calls {', '.join(waits[:3])} and is not marked fiber_fn")

    print(f"{'not ok' if faults else 'ok'} 1 - who_may_wait_is_marked")
    for fault in faults:
        print(f"# {fault}")
    print(f"# {len(all_functions)} functions, {len(marked) + sum(map(len, local.values()))} marked")
    print("1..1")
    return 1 if faults or len(marked) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
