/*
 * Password hashes: the part of crypto.h that wraps libargon2.
 */
#include "base/crypto/crypto.h"
#include "base/memory/arena.h"

#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>

/* Directus' parameters, so that hashes are compatible in both directions. */
enum { MEMORY_KB = 65536, PASSES = 3, LANES = 4, SALT_LEN = 16, HASH_LEN = 32 };

/* A hash comes from a table: extreme costs must not exhaust the process. */
enum { HASH_TEXT_MAX = 512, PASSWORD_MAX = 4096, MEMORY_KB_MAX = 1 << 20, COST_MAX = 64 };

Str password_hash(struct arena *arena, Str password)
{
    char salt[SALT_LEN];
    random_bytes(salt, sizeof salt);
    size_t size = argon2_encodedlen(PASSES, MEMORY_KB, LANES, SALT_LEN, HASH_LEN, Argon2_id);
    char *text = arena_alloc_raw(arena, size);
    int fault = argon2id_hash_encoded(PASSES, MEMORY_KB, LANES, password.data, password.len, salt,
                                      sizeof salt, HASH_LEN, text, size);
    if (fault != ARGON2_OK) {
        (void)fprintf(stderr, "argon2: %s\n", argon2_error_message(fault));
        abort();
    }
    return str_from_z(text);
}

static bool take_cost(Str *rest, Str name, uint64_t max, uint64_t *ret)
{
    Str part;
    if (!str_next(rest, ',', &part) || !str_starts_with(part, name))
        return false;
    return str_to_u64(str_slice(part, name.len, part.len), ret) && *ret <= max;
}

struct costs {
    uint64_t memory_kb;
    uint64_t passes;
    uint64_t lanes;
};

/* $argon2id$v=19$m=65536,t=3,p=4$salt$hash, with costs within the limits. */
static bool read_costs(Str hash, Str *ret_kind, struct costs *ret)
{
    Str empty, version, costs;
    return str_next(&hash, '$', &empty) && str_next(&hash, '$', ret_kind) &&
           str_next(&hash, '$', &version) && str_next(&hash, '$', &costs) &&
           take_cost(&costs, STR("m="), MEMORY_KB_MAX, &ret->memory_kb) &&
           take_cost(&costs, STR("t="), COST_MAX, &ret->passes) &&
           take_cost(&costs, STR("p="), COST_MAX, &ret->lanes);
}

/* Memory and passes multiply: many passes over little memory take as long as few over much. */
bool password_is_affordable(Str hash)
{
    Str kind;
    struct costs costs;
    return read_costs(hash, &kind, &costs) && costs.memory_kb <= MEMORY_KB &&
           costs.memory_kb * costs.passes <= (uint64_t)MEMORY_KB * PASSES && costs.lanes <= LANES;
}

static bool read_kind(Str hash, argon2_type *ret)
{
    Str kind;
    struct costs costs;
    if (!read_costs(hash, &kind, &costs))
        return false;
    if (str_eq(kind, STR("argon2id")))
        *ret = Argon2_id;
    else if (str_eq(kind, STR("argon2i")))
        *ret = Argon2_i;
    else if (str_eq(kind, STR("argon2d")))
        *ret = Argon2_d;
    else
        return false;
    return true;
}

bool password_verify(Str hash, Str password)
{
    char text[HASH_TEXT_MAX + 1];
    argon2_type type;
    if (hash.len > HASH_TEXT_MAX || password.len > PASSWORD_MAX || !read_kind(hash, &type))
        return false;
    memcpy(text, hash.data, hash.len);
    text[hash.len] = '\0';
    return argon2_verify(text, password.data, password.len, type) == ARGON2_OK;
}
