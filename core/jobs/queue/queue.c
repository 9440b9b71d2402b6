#include "jobs/queue/queue.h"

#include "base/memory/array.h"
#include "gen/embed.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/keys.h"

#include <assert.h>

enum { WORDS_PER_MEMBER = 2, WORDS_HEAD = 4, WAKE_UP_US = 3 * 1000 * 1000 };
#define KEY_FILLED KEY_QUEUE_TAG ":filled"
#define KEY_RING KEY_QUEUE_TAG ":ring"

static Str library_source(void)
{
    Str source = STR_NONE;
    bool is_embedded = embed_find(STR("core/jobs/queue/cq.lua"), &source);
    assert(is_embedded);
    return source;
}

void queue_use(struct redis *redis)
{
    redis_use_library(redis, STR("cq1"), library_source());
}

void queue_reload(struct redis *redis)
{
    const Str words[] = {STR("FUNCTION"), STR("LOAD"), STR("REPLACE"), library_source()};
    (void)redis_send(redis, words, COUNT_OF(words));
}

/* The value of one "name:value" line of INFO; STR_NONE if absent. */
static Str info_value(Str info, Str name)
{
    assert(name.len > 0);
    Str line;
    while (str_next(&info, '\n', &line))
        if (str_starts_with(line, name) && line.len > name.len && line.data[name.len] == ':')
            return str_trim(str_slice(line, name.len + 1, line.len));
    return STR_NONE;
}

/* Uses INFO because hosted services refuse CONFIG. */
fiber_fn Err queue_check(struct ctx *ctx)
{
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("INFO"), STR("memory")));
    Str policy = info_value(value.text, STR("maxmemory_policy"));
    Str most = info_value(value.text, STR("maxmemory"));
    if (policy.data == NULL || str_eq(policy, STR("noeviction")) || str_eq(most, STR("0")))
        return OK;
    return fail(ctx, ERR_CONFIG,
                "Redis may evict keys (maxmemory-policy %.*s): set it to noeviction, or give the "
                "queue a Redis of its own",
                STR_FMT(policy));
}

static Str id_text(struct arena *arena, int64_t id)
{
    return str_printf(arena, "%jd", (intmax_t)id);
}

static Str site_text(struct arena *arena, Uuid site)
{
    return uuid_is_nil(site) ? STR("-") : uuid_text(arena, site);
}

/* FCALL function 1 {q:0} id site id site … */
static const Str *enqueue_words(struct arena *arena, Str function,
                                const struct queue_member *members, uint32_t count,
                                uint32_t *ret_count)
{
    assert(count <= QUEUE_CALL_MAX);
    assert(count > 0);
    Str *words = arena_array(arena, Str, WORDS_HEAD + (size_t)count * WORDS_PER_MEMBER);
    uint32_t n = 0;
    words[n++] = STR("FCALL");
    words[n++] = function;
    words[n++] = STR("1");
    words[n++] = STR(KEY_QUEUE_TAG);
    for (uint32_t i = 0; i < count; i++) {
        words[n++] = id_text(arena, members[i].id);
        words[n++] = site_text(arena, members[i].site);
    }
    *ret_count = n;
    assert(n == WORDS_HEAD + count * WORDS_PER_MEMBER);
    return words;
}

void queue_push(struct ctx *ctx, const struct queue_member *members, uint32_t count)
{
    uint32_t word_count;
    const Str *words = enqueue_words(ctx->arena, STR("cq_enq"), members, count, &word_count);
    (void)redis_send(ctx->reactor->redis, words, word_count);
}

fiber_fn Err queue_push_missing(struct ctx *ctx, const struct queue_member *members, uint32_t count,
                                uint32_t *ret_added)
{
    uint32_t word_count;
    const Str *words = enqueue_words(ctx->arena, STR("cq_enq"), members, count, &word_count);
    struct redis_value value;
    TRY(redis_call(ctx, ctx->reactor->redis, words, word_count, &value));
    *ret_added = (uint32_t)value.integer;
    return OK;
}

fiber_fn Err queue_push_stuck(struct ctx *ctx, const struct queue_member *members, uint32_t count)
{
    uint32_t word_count;
    const Str *words = enqueue_words(ctx->arena, STR("cq_force"), members, count, &word_count);
    struct redis_value value;
    return redis_call(ctx, ctx->reactor->redis, words, word_count, &value);
}

static bool member_parse(Str text, struct queue_member *ret)
{
    ptrdiff_t colon = str_find_char(text, ':');
    if (colon < 0 || !str_to_i64(str_slice(text, 0, (size_t)colon), &ret->id))
        return false;
    Str site = str_slice(text, (size_t)colon + 1, text.len);
    ret->site = (Uuid){0};
    return str_eq(site, STR("-")) || uuid_parse(site, &ret->site);
}

static uint32_t members_read(const struct redis_value *value, uint32_t most,
                             struct queue_member *ret)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < value->count && count < most; i++)
        if (member_parse(value->items[i].text, &ret[count]))
            count++;
    assert(count <= most);
    return count;
}

fiber_fn Err queue_claim(struct ctx *ctx, Str worker, struct claim_room room,
                         struct queue_member *ret, uint32_t *ret_count, bool *ret_held_back)
{
    assert(room.most > 0 && room.most <= room.slots);
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("FCALL"), STR("cq_claim"), STR("1"),
                   STR(KEY_QUEUE_TAG), worker, id_text(ctx->arena, room.most),
                   id_text(ctx->arena, room.slots)));
    *ret_held_back = value.count > 0 && str_eq(value.items[value.count - 1].text, STR("held"));
    *ret_count = members_read(&value, room.most, ret);
    return OK;
}

/* FCALL function 1 {q:0} worker member … */
static const Str *member_words(struct arena *arena, Str function, Str worker,
                               const struct queue_member *members, uint32_t count,
                               uint32_t *ret_count)
{
    assert(count <= QUEUE_CALL_MAX);
    assert(count > 0 && worker.len > 0);
    Str *words = arena_array(arena, Str, WORDS_HEAD + 1 + (size_t)count);
    uint32_t n = 0;
    words[n++] = STR("FCALL");
    words[n++] = function;
    words[n++] = STR("1");
    words[n++] = STR(KEY_QUEUE_TAG);
    words[n++] = worker;
    for (uint32_t i = 0; i < count; i++)
        words[n++] = str_printf(arena, "%jd:%.*s", (intmax_t)members[i].id,
                                STR_FMT(site_text(arena, members[i].site)));
    *ret_count = n;
    assert(n == WORDS_HEAD + 1 + count);
    return words;
}

void queue_done(struct ctx *ctx, Str worker, const struct queue_member *members, uint32_t count)
{
    uint32_t word_count;
    const Str *words =
        member_words(ctx->arena, STR("cq_done"), worker, members, count, &word_count);
    (void)redis_send(ctx->reactor->redis, words, word_count);
}

fiber_fn Err queue_return(struct ctx *ctx, Str worker, const struct queue_member *members,
                          uint32_t count)
{
    uint32_t word_count;
    const Str *words =
        member_words(ctx->arena, STR("cq_return"), worker, members, count, &word_count);
    struct redis_value value;
    return redis_call(ctx, ctx->reactor->redis, words, word_count, &value);
}

fiber_fn Err queue_held(struct ctx *ctx, Str worker, uint32_t most, struct queue_member *ret,
                        uint32_t *ret_count)
{
    assert(most > 0 && most <= QUEUE_CALL_MAX);
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("LRANGE"),
                   key_queue_held(ctx->arena, worker), STR("0"),
                   id_text(ctx->arena, (int64_t)most - 1)));
    *ret_count = members_read(&value, most, ret);
    return OK;
}

fiber_fn Err queue_holders(struct ctx *ctx, const Str **ret, uint32_t *ret_count)
{
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("SMEMBERS"), STR(KEY_QUEUE_WORKERS)));
    Str *names = arena_array(ctx->arena, Str, value.count + 1);
    for (uint32_t i = 0; i < value.count; i++)
        names[i] = value.items[i].text;
    *ret = names;
    *ret_count = value.count;
    return OK;
}

fiber_fn Err queue_reap(struct ctx *ctx, Str worker)
{
    struct redis_value value;
    do {
        TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("FCALL"), STR("cq_reap"), STR("1"),
                       STR(KEY_QUEUE_TAG), worker));
    } while (value.integer > 0); /* the last call finds nothing and deletes the worker */
    return OK;
}

/* BLPOP returns after a second without a token. A Redis that does not answer within WAKE_UP_US
 * counts as unavailable. */
fiber_fn Err queue_wait(struct ctx *ctx, struct redis *wake_up)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, WAKE_UP_US);
    struct redis_value value;
    return REDIS_CALL(ctx, wake_up, &value, STR("BLPOP"), STR(KEY_QUEUE_WAKE_UP), STR("1"));
}

fiber_fn Err queue_remembers(struct ctx *ctx, bool *ret_remembers)
{
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("EXISTS"), STR(KEY_FILLED)));
    *ret_remembers = value.integer == 1;
    return OK;
}

fiber_fn Err queue_mark_filled(struct ctx *ctx)
{
    struct redis_value value;
    return REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("SET"), STR(KEY_FILLED), STR("1"));
}

fiber_fn Err queue_is_empty(struct ctx *ctx, bool *ret_is_empty)
{
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("LLEN"), STR(KEY_RING)));
    *ret_is_empty = value.integer == 0;
    return OK;
}
