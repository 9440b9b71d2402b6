/*
 * A site as a blueprint: everything that makes it what it is, without what makes it that one. No
 * ids, no secrets, nothing of its visitors. docs/blueprints.md tells the format; blueprint.def its
 * parts.
 *
 * Rows refer to each other by name ("Best Dentists", "/about"), to rows of the library as
 * {"library": name}, and in JSON values as "spark:blueprint/<part>/<name>". A second row of the
 * same name is "name#2", in the order of the document.
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "io/fiber/fiber.h"

enum {
    BLUEPRINT_SITE_ROWS_MAX = 200000,
    BLUEPRINT_VALUE_DEPTH_MAX = 12, /* a whole blueprint stays below JSON_DEPTH_MAX */
};
#define BLUEPRINT_SITE_FORMAT "spark-site/1"

enum blueprint_part {
#define PART(part, statement, identity, rows) BLUEPRINT_PART_##part,
#define FIELD(...)
#define PART_END(part)
#include "factory/blueprint/blueprint.def"
#undef PART
#undef FIELD
#undef PART_END
    BLUEPRINT_PARTS
};

Str blueprint_part_name(enum blueprint_part part);

/* Writes the document into w, at most `bytes` long: ERR_TOO_LARGE. `wanted` has a bit for each
 * part. ctx->scope is the site. */
fiber_fn Err blueprint_site_write(struct ctx *ctx, uint64_t wanted, size_t bytes,
                                  struct json_writer *w);
/* What is not in it, as a JSON array of sentences. */
Str blueprint_left_out(void);

/* Reads and checks the whole, then stores what is not there yet as rows of ctx's site. Errors name
 * the member ("campaigns[2].headline_spintax_root") in the sentence and in the note "field". */
struct blueprint_site_result {
    int64_t stored[BLUEPRINT_PARTS];
    bool is_present[BLUEPRINT_PARTS];
};
fiber_fn Err blueprint_site_store(struct ctx *ctx, const struct json *body,
                                  struct blueprint_site_result *ret);
