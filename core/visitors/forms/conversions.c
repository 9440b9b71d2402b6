/* Conversions, and clicks on phone numbers, which also create conversions. */
#include "gen/sql.h"
#include "visitors/forms/leads.h"
#include "visitors/outbound/outbound.h"

#include <assert.h>

enum { PATH_MAX_LEN = 500 };
#define CALL_VALUE STR("75.00")

static fiber_fn Err outbound_find(struct ctx *ctx, const struct conversion *c, struct outbound *ret)
{
    *ret = (struct outbound){0};
    if (!c->for_google && !c->for_facebook)
        return OK;
    TRY(outbound_networks_find(ctx, ctx->scope.site, ret));
    ret->google = ret->google && c->for_google;
    ret->facebook =
        ret->facebook && c->for_facebook && (!uuid_is_nil(c->lead) || c->fbclid.len > 0);
    return OK;
}

static struct db_args store_args(struct ctx *ctx, const struct conversion *c)
{
    struct conversion_store_args args = {
        .site = ctx->scope.site,
        .id = c->id,
        .lead = c->lead,
        .type = c->type,
        .value = c->value,
        .currency = c->currency,
        .source = c->source,
        .campaign = c->campaign,
        .gclid = c->gclid,
        .fbclid = c->fbclid,
    };
    return conversion_store_args(ctx->arena, &args);
}

/* Stores a conversion in one sync group if there is nothing to deliver. With a lead, the lock comes
 * first, so that concurrent conversions of one type are stored once. */
static fiber_fn Err store(struct ctx *ctx, const struct conversion *c, DbArg key, struct rows *rows)
{
    struct db_batch batch = {.lane = DB_WRITE};
    if (!uuid_is_nil(c->lead))
        db_batch_add(&batch, &SQL_VISITOR_LOCK, (struct db_args){&key, 1}, NULL);
    db_batch_add(&batch, &SQL_CONVERSION_STORE, store_args(ctx, c), rows);
    return db_batch_run(ctx, &batch);
}

static bool is_stored(const struct rows *rows)
{
    return rows->count == 1 && row_bool(rows, 0, CONVERSION_STORE_HAS_LEAD);
}

/* Stores a conversion with its delivery jobs, unless the lead already has a conversion of this
 * type. */
static fiber_fn Err store_with_jobs(struct ctx *ctx, const struct conversion *c, DbArg key,
                                    const struct outbound *outbound, struct rows *rows)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    if (!uuid_is_nil(c->lead))
        TRY(db_tx_query(&tx, &SQL_VISITOR_LOCK, (struct db_args){&key, 1}, NULL));
    TRY(db_tx_query(&tx, &SQL_CONVERSION_STORE, store_args(ctx, c), rows));
    if (is_stored(rows) && uuid_eq(row_uuid(rows, 0, CONVERSION_STORE_ID), c->id))
        TRY(outbound_enqueue(&tx, outbound, (Uuid){0}, c->id));
    return db_commit(&tx);
}

fiber_fn Err conversion_store(struct ctx *ctx, struct conversion *c)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    c->id = uuid_make();
    Str what = str_printf(ctx->arena, "conversion %.*s %.*s",
                          STR_FMT(uuid_text(ctx->arena, c->lead)), STR_FMT(c->type));
    const DbArg key = visitor_lock_key(ctx, what);
    struct outbound outbound;
    struct rows rows;
    TRY(outbound_find(ctx, c, &outbound));
    if (outbound_is_wanted(&outbound))
        TRY(store_with_jobs(ctx, c, key, &outbound, &rows));
    else
        TRY(store(ctx, c, key, &rows));
    if (!is_stored(&rows))
        return fail(ctx, ERR_NOT_FOUND, "There is no such lead.");
    c->id = row_uuid(&rows, 0, CONVERSION_STORE_ID);
    return OK;
}

/* "https://a.example/x?y" → "/x"; STR_NONE if it is not an address, or its path is too long. */
static Str path_of(Str url)
{
    ptrdiff_t slashes = str_find(url, STR("://"));
    if (slashes < 0)
        return STR_NONE;
    Str rest = str_slice(url, (size_t)slashes + 3, url.len);
    ptrdiff_t slash = str_find_char(rest, '/');
    Str path = slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] == '?' || path.data[i] == '#')
            path = str_slice(path, 0, i);
    return str_count_codepoints(path) <= PATH_MAX_LEN ? path : STR_NONE;
}

static struct db_args call_click_args(struct ctx *ctx, const struct call_click *click,
                                      Uuid conversion)
{
    struct call_click_store_args args = {
        .site = ctx->scope.site,
        .event = uuid_make(),
        .phone = click->phone,
        .page_path = path_of(click->page_url),
        .session = click->session_id,
        .visitor = click->visitor_id,
        .user_agent = click->user_agent,
        .ip = click->ip,
        .page_url = click->page_url,
        .page_title = click->page_title,
        .utm_source = click->click.utm_source,
        .utm_medium = click->click.utm_medium,
        .utm_campaign = click->click.utm_campaign,
        .conversion = conversion,
        .value = CALL_VALUE,
        .source = click_source(&click->click),
        .gclid = click->click.gclid,
        .fbclid = click->click.fbclid,
    };
    return call_click_store_args(ctx->arena, &args);
}

static fiber_fn Err click_store_with_jobs(struct ctx *ctx, struct db_args args,
                                          const struct outbound *outbound, Uuid conversion)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_CALL_CLICK_STORE, args, NULL));
    TRY(outbound_enqueue(&tx, outbound, (Uuid){0}, conversion));
    return db_commit(&tx);
}

fiber_fn Err call_click_store(struct ctx *ctx, const struct call_click *click, Uuid *ret_conversion)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    Uuid conversion = uuid_make();
    struct db_args args = call_click_args(ctx, click, conversion);
    struct outbound outbound;
    TRY(outbound_networks_find(ctx, ctx->scope.site, &outbound));
    outbound.facebook = outbound.facebook && click->click.fbclid.len > 0;
    if (outbound_is_wanted(&outbound))
        TRY(click_store_with_jobs(ctx, args, &outbound, conversion));
    else
        TRY(db_query(ctx, &SQL_CALL_CLICK_STORE, args, NULL));
    *ret_conversion = conversion;
    return OK;
}
