/*
 * Offer blocks as fragments: title, hook, pains, solutions, value points, free text and a call to
 * action become one section of HTML. Pure.
 *
 * A personalised row (block × avatar) brings lists of its own; each that it has stands in for the
 * block's, each that it lacks leaves the block's. Names of members are those of the data (hook,
 * universal_pain_points, spintax …) and those that older engines wrote.
 */
#pragma once

#include "base/json/json.h"
#include "factory/library/library.h"

enum { BLOCK_ITEMS_MAX = 50 /* of one list; the rest is left out */ };

struct block_row {
    Uuid id;
    Str block_id;
    Str name; /* the title when `data` has none */
    Str html; /* html_content: stands in for `spintax` */
    const struct json *data;
    Uuid personal_id;
    const struct json *personal; /* NULL: none for this avatar */
};

/* In `arena`; the texts stay views. */
struct fragment_source block_source(struct arena *arena, const struct block_row *row);
