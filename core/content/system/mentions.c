/*
 * "@<id of a user>" in a comment notifies that user, if the user may read the item and uses the
 * app, where notifications are shown. An id that belongs to nobody, or to nobody whom the author's
 * scope shows, is shown as an unknown user.
 */
#include "access/grants/actor.h"
#include "access/identity/explained.h"
#include "base/memory/map.h"
#include "content/system/system_rules.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* Each of a hundred recipients gets a message of its own: a long comment is quoted in part, so that
 * a body of one megabyte does not become fifty. A name takes the place of an id; it may be longer.
 */
enum { QUOTE_MAX = 16 * 1024, MESSAGE_MAX = 512 * 1024 };

/* The next mention in `text` from `at` on: where it begins, and whom it names. */
static bool next_mention(Str text, size_t *at, Uuid *ret)
{
    assert(*at <= text.len);
    for (size_t i = *at; i + 1 + UUID_TEXT_LEN <= text.len; i++) {
        bool is_one =
            text.data[i] == '@' && uuid_parse(str_slice(text, i + 1, i + 1 + UUID_TEXT_LEN), ret);
        if (is_one) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* Each user once. */
static Err collect(struct ctx *ctx, Str comment, Uuid ret[MENTIONS_MAX], uint32_t *ret_count)
{
    Uuid user;
    *ret_count = 0;
    for (size_t at = 0; next_mention(comment, &at, &user); at += 1 + UUID_TEXT_LEN) {
        bool is_new = true;
        for (uint32_t i = 0; i < *ret_count; i++)
            is_new &= !uuid_eq(ret[i], user);
        if (is_new && *ret_count == MENTIONS_MAX)
            return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d users are mentioned", MENTIONS_MAX);
        if (is_new)
            ret[(*ret_count)++] = user;
    }
    assert(*ret_count <= MENTIONS_MAX);
    return OK;
}

static fiber_fn Err names_load(struct ctx *ctx, struct db_tx *tx, const Uuid *users, uint32_t count,
                               struct map **ret)
{
    assert(tx->connection != NULL && count <= MENTIONS_MAX + 1);
    struct rows rows;
    *ret = map_in_arena(ctx->arena);
    TRY(db_tx_query(tx, &SQL_SYSTEM_NAMES_OF_USERS, ARGS(db_uuid_array(ctx->arena, users, count)),
                    &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        Str *name = arena_new(ctx->arena, Str);
        *name = row_text(&rows, i, SYSTEM_NAMES_OF_USERS_NAME);
        Uuid id = row_uuid(&rows, i, SYSTEM_NAMES_OF_USERS_ID);
        map_put(*ret, uuid_text(ctx->arena, id), name);
    }
    return OK;
}

static const Str *name_of(struct ctx *ctx, const struct map *names, Uuid user)
{
    return map_get(names, uuid_text(ctx->arena, user));
}

/* The comment with names in place of ids. */
static void put_comment(struct ctx *ctx, struct buf *out, Str comment, const struct map *names)
{
    size_t from = 0;
    Uuid user;
    for (size_t at = 0; next_mention(comment, &at, &user); from = at) {
        const Str *name = name_of(ctx, names, user);
        buf_put(out, str_slice(comment, from, at));
        if (name != NULL)
            buf_printf(out, "<em>%.*s</em>", STR_FMT(*name));
        else
            buf_put(out, STR("@Unknown User"));
        at += 1 + UUID_TEXT_LEN;
    }
    assert(from <= comment.len);
    buf_put(out, str_slice(comment, from, comment.len));
}

static Str message_of(struct ctx *ctx, const struct mentions *m, const struct map *names,
                      Str recipient)
{
    assert(ctx->actor != NULL && ctx->reactor != NULL);
    const Str *sender = name_of(ctx, names, ctx->actor->user);
    Str from = sender == NULL ? STR("Unknown User") : *sender;
    Str url = ctx->reactor->settings->public_url;
    struct buf *out = buf_in_arena(ctx->arena, MESSAGE_MAX);
    buf_printf(out, "\nHello %.*s,\n\n%.*s has mentioned you in a comment:\n\n> ",
               STR_FMT(recipient), STR_FMT(from));
    Str quote = str_cut(m->comment, QUOTE_MAX);
    put_comment(ctx, out, quote, names);
    if (quote.len < m->comment.len)
        buf_put(out, STR("…"));
    buf_printf(out, "\n\n<a href=\"%.*s/admin/content/%.*s/%.*s\">Click here to view.</a>\n",
               STR_FMT(url), STR_FMT(m->collection), STR_FMT(m->item));
    return buf_str(out);
}

static fiber_fn Err may_read(struct ctx *ctx, const struct mentions *m, Uuid user, bool *ret)
{
    const struct actor *actor;
    *ret = false;
    TRY(other_user_find(ctx, user, &actor));
    if (actor == NULL || !(actor->is_admin || actor->has_app_access))
        return OK;
    SCOPED_CTX struct ctx other =
        ctx_for_actor(ctx, actor, actor->scope, "may the mentioned user read the item?");
    Err err = rule_find_readable(&other, m->schema, m->collection, m->item, ret);
    if (err != ERR_FORBIDDEN)
        return err;
    diag_clear(&other);
    return OK;
}

fiber_fn Err mentions_notify(struct ctx *ctx, const struct mentions *m)
{
    assert(m->tx != NULL);
    Uuid users[MENTIONS_MAX + 1];
    uint32_t count;
    TRY(collect(ctx, m->comment, users, &count));
    if (count == 0)
        return OK;
    struct map *names;
    users[count] = ctx->actor->user;
    TRY(names_load(ctx, m->tx, users, count + 1, &names));
    for (uint32_t i = 0; i < count; i++) {
        const Str *name = name_of(ctx, names, users[i]);
        bool is_reader = false;
        if (name != NULL)
            TRY(may_read(ctx, m, users[i], &is_reader));
        if (!is_reader)
            continue;
        struct system_notify_args args = {
            .recipient = users[i],
            .sender = ctx->actor->user,
            .subject = str_printf(ctx->arena, "You were mentioned in %.*s", STR_FMT(m->collection)),
            .message = message_of(ctx, m, names, *name),
            .collection = m->collection,
            .item = m->item,
        };
        TRY(db_tx_query(m->tx, &SQL_SYSTEM_NOTIFY, system_notify_args(ctx->arena, &args), NULL));
    }
    return OK;
}
