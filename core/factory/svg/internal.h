/* What the files of this folder share. */
#pragma once

#include "factory/svg/svg.h"

struct buf;

/* Lines of a title, cut where words end; what passes the last is cut there and marked. */
uint32_t svg_wrap(struct arena *arena, Str title, Str lines[SVG_LINES_MAX]);
/* Escaped, without control characters, which are no XML at all. */
void svg_put_text(struct buf *out, Str text);

/* svg_rules.c: whether these may be in a picture. */
bool svg_allows_element(Str name);
bool svg_holds_text(Str element);
bool svg_allows_attribute(Str name);
/* Of an attribute that is allowed; false: *ret_why ends the sentence "the attribute x …". */
bool svg_allows_value(Str element, Str name, Str value, const char **ret_why);

/* svg_clean.c: reads `source` and writes it anew; tokens are replaced when there is a template.
 * False: *ret_refused says why. */
bool svg_clean(struct arena *arena, Str source, const struct svg_template *template_,
               const struct svg_texts *texts, Str *ret, Str *ret_refused);

/* svg_fill.c: the tokens of one text or value. *ret_has_title may be NULL. */
Str svg_replace(struct arena *arena, Str text, const struct svg_template *template_,
                const struct svg_texts *texts, bool *ret_has_title);
