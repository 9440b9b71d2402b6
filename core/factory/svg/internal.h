/* Shared declarations of this module. */
#pragma once

#include "factory/svg/svg.h"

struct buf;

/* Splits a title into lines at word boundaries; the last line is truncated and marked if the title
 * is longer. */
uint32_t svg_wrap(struct arena *arena, Str title, Str lines[SVG_LINES_MAX]);
/* Appends escaped text without control characters, which XML does not allow. */
void svg_put_text(struct buf *out, Str text);

/* svg_rules.c: the allowlist. */
bool svg_allows_element(Str name);
bool svg_holds_text(Str element);
bool svg_allows_attribute(Str name);
/* Checks the value of an allowed attribute; false: *ret_why completes the sentence "the attribute x
 * …". */
bool svg_allows_value(Str element, Str name, Str value, const char **ret_why);

/* svg_clean.c: parses `source` and serialises the allowed parts; replaces tokens if there is a
 * template. False: *ret_refused says why. */
bool svg_clean(struct arena *arena, Str source, const struct svg_template *template_,
               const struct svg_texts *texts, Str *ret, Str *ret_refused);

/* svg_fill.c: replaces the tokens of one text or value. *ret_has_title may be NULL. */
Str svg_replace(struct arena *arena, Str text, const struct svg_template *template_,
                const struct svg_texts *texts, bool *ret_has_title);
