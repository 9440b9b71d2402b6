/* POST /utils/hash/…: anybody may ask, so few run at once. */
#include "base/crypto/crypto.h"
#include "gen/routes/utils.h"
#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* A hash needs 64 MiB and a thread: one at a time per thread of the server, and so many wait. */
enum { HASHES_WAITING_MAX = 16, HASHED_MAX = 4096 };

struct hashes {
    struct gate gate;
    uint32_t waiting;
};

static void hashes_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct hashes *hashes = object;
    gate_init(&hashes->gate, 1);
}

static struct reactor_slot slot = {.size = sizeof(struct hashes), .init = hashes_init};

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

static fiber_fn Err run_one(struct ctx *ctx, void (*work)(void *arg), struct hashing *hashing)
{
    SCOPED_GATE struct gate *entered = NULL;
    struct hashes *hashes = reactor_slot(ctx->reactor, &slot);
    if (hashes->waiting >= HASHES_WAITING_MAX)
        return fail(ctx, ERR_UNAVAILABLE, "Too many hashes at once.");
    hashes->waiting++;
    Err err = gate_enter(ctx, &hashes->gate);
    assert(hashes->waiting > 0);
    hashes->waiting--;
    TRY(err);
    entered = &hashes->gate;
    return offload_run(ctx, ctx->reactor->offload, work, hashing);
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
    TRY(run_one(ctx, make_run, &hashing));
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
    TRY(run_one(ctx, compare_run, &hashing));
    utils_verify_reply_write(&reply->json, &(struct utils_verify_reply){hashing.is_right});
    return OK;
}
