#!/usr/bin/env python3
"""docs/reference.md and docs/compatibility.md are what the tables say."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = {"reference": "gen_reference.py", "compatibility": "gen_compatibility.py"}

failed = 0
for number, (page, program) in enumerate(PAGES.items(), 1):
    result = subprocess.run([sys.executable, ROOT / "tools" / program, "--check"], check=False)
    failed += result.returncode != 0
    print(f"{'not ok' if result.returncode else 'ok'} {number} - the_page_of_{page}_is_what_the_tables_say")
print(f"1..{len(PAGES)}")
sys.exit(failed)
