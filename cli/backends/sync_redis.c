#include "cli/backends/sync_redis.h"

#include "base/text/buf.h"

#include <hiredis/hiredis.h>

enum { TIMEOUT_S = 5, REPLY_MAX = 1 << 20, WORDS_MAX = 16 };

struct sync_redis {
    redisContext *connection;
};

struct redis_address {
    Str path;
    Str user;
    Str password;
    Str host;
    int64_t port;
    int64_t database;
};

static void release(void *object)
{
    struct sync_redis *redis = object;
    if (redis->connection != NULL)
        redisFree(redis->connection);
}

static bool read_host(Str rest, struct redis_address *ret)
{
    ptrdiff_t at = str_find_char(rest, '@');
    if (at >= 0) {
        Str login = str_slice(rest, 0, (size_t)at);
        ptrdiff_t colon = str_find_char(login, ':');
        ret->user = colon > 0 ? str_slice(login, 0, (size_t)colon) : STR_NONE;
        ret->password = colon >= 0 ? str_slice(login, (size_t)colon + 1, login.len) : login;
        rest = str_slice(rest, (size_t)at + 1, rest.len);
    }
    ptrdiff_t slash = str_find_char(rest, '/');
    if (slash >= 0) {
        Str database = str_slice(rest, (size_t)slash + 1, rest.len);
        if (database.len > 0 && !str_to_i64(database, &ret->database))
            return false;
        rest = str_slice(rest, 0, (size_t)slash);
    }
    ptrdiff_t colon = str_find_char(rest, ':');
    ret->port = 6379;
    ret->host = colon >= 0 ? str_slice(rest, 0, (size_t)colon) : rest;
    if (colon >= 0 && !str_to_i64(str_slice(rest, (size_t)colon + 1, rest.len), &ret->port))
        return false;
    return ret->host.len > 0 && ret->port > 0 && ret->port < 65536 && ret->database >= 0;
}

static bool read_url(Str url, struct redis_address *ret)
{
    *ret = (struct redis_address){.port = 0};
    if (str_starts_with(url, STR("unix://"))) {
        ret->path = str_slice(url, 7, url.len);
        return ret->path.len > 1 && ret->path.data[0] == '/';
    }
    if (str_starts_with(url, STR("redis://")))
        return read_host(str_slice(url, 8, url.len), ret);
    return false;
}

static Err log_in(struct ctx *ctx, struct sync_redis *redis, const struct redis_address *address)
{
    const char *words[3] = {"AUTH", str_z(ctx->arena, address->user),
                            str_z(ctx->arena, address->password)};
    if (address->user.len == 0)
        words[1] = words[2];
    if (address->password.len > 0)
        TRY(sync_redis_command(ctx, redis, words, address->user.len > 0 ? 3 : 2, NULL));
    if (address->database > 0) {
        Str number = str_printf(ctx->arena, "%d", (int)address->database);
        const char *choose[] = {"SELECT", str_z(ctx->arena, number)};
        TRY(sync_redis_command(ctx, redis, choose, 2, NULL));
    }
    return OK;
}

Err sync_redis_open(struct ctx *ctx, Str url, struct sync_redis **ret)
{
    struct redis_address address;
    if (!read_url(url, &address))
        return fail(ctx, ERR_CONFIG,
                    "REDIS_URL should be redis://[user:password@]host:port[/db] or unix:///path");

    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct sync_redis *redis = arena_new(ctx->arena, struct sync_redis);
    if (address.path.len > 0)
        redis->connection = redisConnectUnixWithTimeout(str_z(ctx->arena, address.path), timeout);
    else
        redis->connection =
            redisConnectWithTimeout(str_z(ctx->arena, address.host), (int)address.port, timeout);
    arena_defer(ctx->arena, release, redis);
    if (redis->connection == NULL || redis->connection->err != 0)
        return fail(ctx, ERR_UNAVAILABLE, "Redis does not answer: %s",
                    redis->connection != NULL ? redis->connection->errstr : "out of memory");
    redisSetTimeout(redis->connection, timeout);
    TRY(log_in(ctx, redis, &address));
    *ret = redis;
    return OK;
}

/* One level of arrays is enough for CONFIG GET; no recursion. */
static Str reply_text(struct ctx *ctx, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_INTEGER)
        return str_printf(ctx->arena, "%lld", reply->integer);
    if (reply->type != REDIS_REPLY_ARRAY)
        return str_dup(ctx->arena, str_of(reply->str, reply->str != NULL ? (size_t)reply->len : 0));

    struct buf *lines = buf_in_arena(ctx->arena, REPLY_MAX);
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *element = reply->element[i];
        if (element->str != NULL)
            buf_put(lines, str_of(element->str, (size_t)element->len));
        buf_put_char(lines, '\n');
    }
    return buf_str(lines);
}

Err sync_redis_command(struct ctx *ctx, struct sync_redis *redis, const char *const *words,
                       uint32_t count, Str *ret)
{
    const char *copies[WORDS_MAX] = {NULL};
    for (uint32_t i = 0; i < count && i < WORDS_MAX; i++)
        copies[i] = words[i];
    redisReply *reply = redisCommandArgv(redis->connection, (int)count, copies, NULL);
    if (reply == NULL)
        return fail(ctx, ERR_UNAVAILABLE, "The connection to Redis was lost: %s",
                    redis->connection->errstr);
    Str text = reply_text(ctx, reply);
    bool is_error = reply->type == REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    if (is_error)
        return fail(ctx, ERR_UNAVAILABLE, "Redis refuses %s: %.*s", words[0], STR_FMT(text));
    if (ret != NULL)
        *ret = text;
    return OK;
}

Str sync_redis_info(Str info, Str name)
{
    Str line;
    while (str_next(&info, '\n', &line)) {
        line = str_trim(line);
        if (str_starts_with(line, name) && line.len > name.len && line.data[name.len] == ':')
            return str_slice(line, name.len + 1, line.len);
    }
    return STR_NONE;
}
