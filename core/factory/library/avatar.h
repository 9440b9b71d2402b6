/*
 * Whom an article speaks to: the words of one avatar variant, of the site or the library.
 *
 * Every avatar has three variants. Rows hold what an editor changed about them; for what no row
 * says, and for an avatar without rows, grammar.h's own table stands in, so that an article never
 * falls back to "they" for want of a row.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "factory/spin/grammar.h"
#include "io/pg/db.h"

enum { AVATAR_VARIANTS = 3, AVATAR_KEY_MAX = 100 };

/* What a request or a campaign says. Empty and nil: not said. */
struct avatar_choice {
    Uuid id;          /* of an avatar, or of one variant */
    Str key;          /* avatar_key */
    Str variant_type; /* male, female, neutral; stands above what `id` says */
};
bool avatar_is_variant(Str type); /* one of the three, in lower case */
bool avatar_is_chosen(const struct avatar_choice *choice);

struct avatar {
    struct grammar_variant variant;
    Str key;      /* empty: only a variant was chosen */
    Str type;     /* male, female, neutral */
    Str identity; /* {Avatar} */
};

/* In ctx->arena. ERR_NOT_FOUND: no such avatar or variant, in the site or in the library. */
fiber_fn Err avatar_find(struct ctx *ctx, const struct avatar_choice *choice, struct avatar *ret);

/* The variants of an avatar, after those that it lacks were made from grammar.h's table. What is
 * there stays as it is. In the scope of the avatar's own site. */
struct avatar_variants {
    Uuid avatar;
    Uuid site;
    Str key;
    uint32_t made;
    Uuid ids[AVATAR_VARIANTS];
    Str types[AVATAR_VARIANTS];
    uint32_t count;
};

/* Which avatar is meant: by id, or by key among those that ctx's scope can see, the site's own
 * first. Only site, avatar and key of `ret` are set. ERR_NOT_FOUND; ERR_FAILED_VALIDATION when
 * several sites have the key. */
fiber_fn Err avatar_locate(struct ctx *ctx, const struct avatar_choice *choice,
                           struct avatar_variants *ret);
fiber_fn Err avatar_variants_make(struct db_tx *tx, struct avatar_variants *variants);
