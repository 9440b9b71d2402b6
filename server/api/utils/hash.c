/* POST /utils/hash/…: anybody may ask, so few run at once. */
#include "access/limits/hash_gate.h"
#include "base/crypto/crypto.h"
#include "gen/routes/utils.h"

#include <assert.h>

enum { HASHES_WAITING_MAX = 16, HASHED_MAX = 4096 };

struct hashing {
    struct arena *arena;
    Str text;
    Str hash; /* made, or to be compared */
    bool is_right;
};

/* The arena is safe to use here: its fiber waits until this returns. */
static void make_run(void *arg)
{
    struct hashing *hashing = arg;
    hashing->hash = password_hash(hashing->arena, hashing->text);
}

static void compare_run(void *arg)
{
    struct hashing *hashing = arg;
    hashing->is_right = password_verify(hashing->hash, hashing->text);
}

/* "" counts as missing, as in Directus. */
static Err read_text(struct ctx *ctx, const struct json *body, const char *name, Str *ret)
{
    const struct json *value = json_get(body, str_from_z(name));
    if (json_is_null(value) || (json_kind(value) == JSON_STRING && json_str(value).len == 0))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" is required", name);
    if (json_kind(value) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be a string", name);
    *ret = json_str(value);
    if (ret->len > HASHED_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" has more than %d bytes", name, HASHED_MAX);
    return OK;
}

fiber_fn Err route_utils_hash(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    struct hashing hashing = {.arena = ctx->arena};
    TRY(request_object(ctx, request, &body));
    TRY(read_text(ctx, body, "string", &hashing.text));
    TRY(hash_gate_run(ctx, HASHES_WAITING_MAX, make_run, &hashing));
    utils_hash_reply_write(&reply->json, &(struct utils_hash_reply){hashing.hash});
    return OK;
}

fiber_fn Err route_utils_verify(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    struct hashing hashing = {.arena = ctx->arena};
    TRY(request_object(ctx, request, &body));
    TRY(read_text(ctx, body, "string", &hashing.text));
    TRY(read_text(ctx, body, "hash", &hashing.hash));
    /* Anybody chooses the hash: one that costs more than ours is none of ours. */
    if (!password_is_affordable(hashing.hash))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Invalid \"hash\" or \"string\"");
    TRY(hash_gate_run(ctx, HASHES_WAITING_MAX, compare_run, &hashing));
    utils_verify_reply_write(&reply->json, &(struct utils_verify_reply){hashing.is_right});
    return OK;
}
