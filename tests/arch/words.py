#!/usr/bin/env python3
"""What core/base has a word for is not spelled by hand: counts of arrays, hex digits, percent-encoding, plain refusals."""

import re
import sys

from layers import COMMENT, ROOT, tell

# Extensions see include/ only, so base has no words for them.
FOLDERS = ("core", "server", "workers", "cli", "extensions/runtime")
BASE = ROOT / "core/base"
# The macros themselves.
HOMES = {"core/base/memory/array.h", "core/base/system/err.h"}

COUNT = re.compile(r"\bsizeof\s*\(*\s*([\w.>-]+)\s*\)*\s*/\s*sizeof\s*\(*\s*(?:\1\)*\s*\[0\]|\*\s*\1\b)")
HEX_DIGIT = re.compile(r"\b\w+ - '[aA]' \+ 10\b|\b(?:static|extern) [^;=(]*\bhex_?(?:digit|value|nibble)\w*\(")
PERCENT = re.compile(r"^(?!\s)[^;=(#]*\b\w*(?:percent|url|uri)_(?:de|en)code\w*\(|%%%02[xX]", flags=re.M)
EMPTY_SENTENCE = re.compile(r'\bfail\w*\([^;]*?"%s",\s*""\)')


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            name = str(path.relative_to(ROOT))
            if name not in HOMES:
                yield path, name, COMMENT.sub(lambda found: "\n" * found[0].count("\n"),
                                              path.read_text(encoding="utf-8"))


def places(pattern, outside_base=False):
    for path, name, code in sources():
        if outside_base and BASE in path.parents:
            continue
        for found in pattern.finditer(code):
            yield f"{name}:{code.count(chr(10), 0, found.start()) + 1}"


def counts_by_hand():
    for place in places(COUNT):
        yield f"{place} divides by hand: COUNT_OF of base/memory/array.h"


def hex_digits():
    for place in places(HEX_DIGIT, outside_base=True):
        yield f"{place} reads hex digits: ascii_hex_value of base/text/ascii.h"


def percent_encodings():
    for place in places(PERCENT, outside_base=True):
        yield f"{place} reads or writes percent-encoding: base/text/percent.h"


def empty_sentences():
    for place in places(EMPTY_SENTENCE):
        yield f'{place} fails with "%s", "": fail_plain of base/system/err.h'


CLAIMS = {
    "arrays_are_counted_by_one_word": counts_by_hand,
    "hex_digits_are_read_in_one_place": hex_digits,
    "percent_encoding_has_one_home": percent_encodings,
    "a_refusal_without_a_sentence_says_so": empty_sentences,
}


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
