/*
 * POST /api/track/conversion and /call-click: durable in PostgreSQL before they are answered. Who
 * else is told of them is told by a job, made in the same transaction.
 */
#include "gen/routes/visitors.h"
#include "gen/sql.h"
#include "server/api/visitors/public.h"
#include "visitors/outbound/outbound.h"

enum { CURRENCY_LEN = 3, PATH_MAX_LEN = 500 };
#define CALL_VALUE STR("75.00")

struct conversion {
    Uuid site, id, lead;
    Str type, value, currency, source, campaign, gclid, fbclid;
    bool for_google, for_facebook; /* whether the page wants them to be told */
};

Err route_conversion_post_check(struct ctx *ctx, struct conversion_post_input *input)
{
    Str currency = input->currency;
    bool is_code = currency.len == CURRENCY_LEN;
    for (size_t i = 0; is_code && i < currency.len; i++)
        is_code = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (is_code)
        return OK;
    return field_refuse(ctx, "currency", "currency has to be three capital letters");
}

static fiber_fn Err outbound_find(struct ctx *ctx, const struct conversion *c, struct outbound *ret)
{
    *ret = (struct outbound){0};
    if (!c->for_google && !c->for_facebook)
        return OK;
    TRY(outbound_networks_find(ctx, c->site, ret));
    ret->google = ret->google && c->for_google;
    ret->facebook =
        ret->facebook && c->for_facebook && (!uuid_is_nil(c->lead) || c->fbclid.len > 0);
    return OK;
}

static struct db_args store_args(struct ctx *ctx, const struct conversion *c)
{
    struct conversion_store_args args = {
        .site = c->site,
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

/* One group of statements, when nobody is told. With a lead, the lock comes first: two at once of
 * one type are one. */
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

/* With its jobs, unless the lead had a conversion of this type. */
static fiber_fn Err store_and_tell(struct ctx *ctx, const struct conversion *c, DbArg key,
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

static fiber_fn Err conversion_store(struct ctx *ctx, struct conversion *c)
{
    Str what = str_printf(ctx->arena, "conversion %.*s %.*s",
                          STR_FMT(uuid_text(ctx->arena, c->lead)), STR_FMT(c->type));
    const DbArg key = db_int(visitor_lock_key(ctx, c->site, what));
    struct outbound outbound;
    struct rows rows;
    TRY(outbound_find(ctx, c, &outbound));
    if (outbound_is_wanted(&outbound))
        TRY(store_and_tell(ctx, c, key, &outbound, &rows));
    else
        TRY(store(ctx, c, key, &rows));
    if (!is_stored(&rows))
        return fail(ctx, ERR_NOT_FOUND, "There is no such lead.");
    c->id = row_uuid(&rows, 0, CONVERSION_STORE_ID);
    return OK;
}

static Err conversion_answer(struct reply *reply, Uuid id)
{
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "conversion_id", id);
    visitor_write_sent(&reply->json);
    json_object_end(&reply->json);
    return OK;
}

fiber_fn Err route_conversion_post(struct ctx *ctx, const struct request *request,
                                   const struct conversion_post_input *input, struct reply *reply)
{
    (void)request;
    struct conversion conversion = {
        .id = uuid_make(),
        .site = ctx->scope.site,
        .lead = input->lead_id,
        .type = input->conversion_type,
        .value = input->value,
        .currency = input->currency,
        .source = input->source,
        .campaign = input->campaign,
        .gclid = input->gclid,
        .fbclid = input->fbclid,
        .for_google = input->send_to_google,
        .for_facebook = input->send_to_facebook,
    };
    TRY(conversion_store(ctx, &conversion));
    return conversion_answer(reply, conversion.id);
}

/* "https://a.example/x?y" → "/x"; STR_NONE when it is no address, or its path is too long. */
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

static struct db_args call_click_args(struct ctx *ctx, const struct request *request,
                                      const struct call_click_post_input *click, Uuid conversion)
{
    struct call_click_store_args args = {
        .site = ctx->scope.site,
        .event = uuid_make(),
        .phone = click->phone_number,
        .page_path = path_of(click->page_url),
        .session = click->session_id,
        .visitor = click->visitor_id,
        .user_agent = visitor_agent(request),
        .ip = visitor_ip(ctx, request),
        .page_url = click->page_url,
        .page_title = click->page_title,
        .utm_source = click->utm_source,
        .utm_medium = click->utm_medium,
        .utm_campaign = click->utm_campaign,
        .conversion = conversion,
        .value = CALL_VALUE,
        .source = visitor_source(click->utm_source, click->gclid, click->fbclid),
        .gclid = click->gclid,
        .fbclid = click->fbclid,
    };
    return call_click_store_args(ctx->arena, &args);
}

static fiber_fn Err call_click_store(struct ctx *ctx, Uuid conversion, bool has_fbclid,
                                     struct db_args args)
{
    struct outbound outbound;
    TRY(outbound_networks_find(ctx, ctx->scope.site, &outbound));
    outbound.facebook = outbound.facebook && has_fbclid;
    if (!outbound_is_wanted(&outbound))
        return db_query(ctx, &SQL_CALL_CLICK_STORE, args, NULL);
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_CALL_CLICK_STORE, args, NULL));
    TRY(outbound_enqueue(&tx, &outbound, (Uuid){0}, conversion));
    return db_commit(&tx);
}

fiber_fn Err route_call_click_post(struct ctx *ctx, const struct request *request,
                                   const struct call_click_post_input *input, struct reply *reply)
{
    Uuid conversion = uuid_make();
    struct db_args args = call_click_args(ctx, request, input, conversion);
    TRY(call_click_store(ctx, conversion, input->fbclid.len > 0, args));
    return conversion_answer(reply, conversion);
}
