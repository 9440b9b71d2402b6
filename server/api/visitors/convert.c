/*
 * POST /api/track/conversion and /call-click: durable in PostgreSQL before they are answered. Who
 * else is told of them is told by a job, made in the same transaction.
 */
#include "base/memory/array.h"
#include "gen/sql.h"
#include "server/api/visitors/public.h"
#include "server/dispatch/handlers.h"
#include "visitors/outbound/outbound.h"

enum { TYPE_MAX = 100, WORD_MAX = 255, CURRENCY_LEN = 3 };
enum { PHONE_MAX = 50, PAGE_URL_MAX = 2048, TITLE_MAX = 500, PATH_MAX_LEN = 500 };
#define CALL_VALUE STR("75.00")

struct conversion {
    Uuid site, id, lead;
    Str type, value, currency, source, campaign, gclid, fbclid;
    bool for_google, for_facebook; /* whether the page wants them to be told */
};

static Err currency_check(struct ctx *ctx, Str currency)
{
    bool is_code = currency.len == CURRENCY_LEN;
    for (size_t i = 0; is_code && i < currency.len; i++)
        is_code = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (is_code)
        return OK;
    return visitor_refuse(ctx, "currency", "currency has to be three capital letters");
}

static Err conversion_read(struct ctx *ctx, const struct json *body, struct conversion *ret)
{
    const struct text_field fields[] = {
        {"conversion_type", TYPE_MAX, &ret->type}, {"currency", CURRENCY_LEN, &ret->currency},
        {"source", WORD_MAX, &ret->source},        {"campaign", WORD_MAX, &ret->campaign},
        {"gclid", WORD_MAX, &ret->gclid},          {"fbclid", WORD_MAX, &ret->fbclid},
    };
    Err texts = VISITOR_TAKE_TEXTS(ctx, body, fields);
    Err value = visitor_take_value(ctx, body, "value", &ret->value);
    TRY(texts);
    TRY(value);
    TRY(json_take_uuid(ctx, body, "lead", &ret->lead));
    TRY(json_take_uuid(ctx, body, "lead_id", &ret->lead));
    TRY(json_take_bool(ctx, body, "send_to_google", &ret->for_google));
    TRY(json_take_bool(ctx, body, "send_to_facebook", &ret->for_facebook));
    if (str_trim(ret->type).len == 0)
        return visitor_refuse(ctx, "conversion_type", "conversion_type is required");
    return currency_check(ctx, ret->currency);
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

fiber_fn Err conversion_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct conversion conversion = {.id = uuid_make(), .currency = STR("USD")};
    TRY(visitor_site(ctx, body, &conversion.site));
    TRY(conversion_read(ctx, body, &conversion));
    TRY(conversion_store(ctx, &conversion));
    return conversion_answer(reply, conversion.id);
}

struct call_click {
    Uuid site, event, conversion;
    Str phone, page_url, page_title, session_id, visitor_id;
    Str utm_source, utm_medium, utm_campaign, gclid, fbclid;
};

static Err call_click_read(struct ctx *ctx, const struct json *body, struct call_click *ret)
{
    const struct text_field fields[] = {
        {"phone_number", PHONE_MAX, &ret->phone},       {"page_url", PAGE_URL_MAX, &ret->page_url},
        {"page_title", TITLE_MAX, &ret->page_title},    {"session_id", WORD_MAX, &ret->session_id},
        {"visitor_id", WORD_MAX, &ret->visitor_id},     {"utm_source", WORD_MAX, &ret->utm_source},
        {"utm_medium", WORD_MAX, &ret->utm_medium},     {"gclid", WORD_MAX, &ret->gclid},
        {"utm_campaign", WORD_MAX, &ret->utm_campaign}, {"fbclid", WORD_MAX, &ret->fbclid},
    };
    TRY(VISITOR_TAKE_TEXTS(ctx, body, fields));
    if (str_trim(ret->phone).len == 0)
        return visitor_refuse(ctx, "phone_number", "phone_number is required");
    return OK;
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
                                      const struct call_click *click)
{
    struct call_click_store_args args = {
        .site = click->site,
        .event = click->event,
        .phone = click->phone,
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
        .conversion = click->conversion,
        .value = CALL_VALUE,
        .source = visitor_source(click->utm_source, click->gclid, click->fbclid),
        .gclid = click->gclid,
        .fbclid = click->fbclid,
    };
    return call_click_store_args(ctx->arena, &args);
}

static fiber_fn Err call_click_store(struct ctx *ctx, const struct call_click *click,
                                     struct db_args args)
{
    struct outbound outbound;
    TRY(outbound_networks_find(ctx, click->site, &outbound));
    outbound.facebook = outbound.facebook && click->fbclid.len > 0;
    if (!outbound_is_wanted(&outbound))
        return db_query(ctx, &SQL_CALL_CLICK_STORE, args, NULL);
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_CALL_CLICK_STORE, args, NULL));
    TRY(outbound_enqueue(&tx, &outbound, (Uuid){0}, click->conversion));
    return db_commit(&tx);
}

fiber_fn Err call_click_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct call_click click = {.event = uuid_make(), .conversion = uuid_make()};
    TRY(visitor_site(ctx, body, &click.site));
    TRY(call_click_read(ctx, body, &click));
    TRY(call_click_store(ctx, &click, call_click_args(ctx, request, &click)));
    return conversion_answer(reply, click.conversion);
}
