/*
 * /robots.txt, /sitemap.xml and /sitemap-N.xml of the request's hostname.
 *
 * A file of 50,000 addresses has about 10 MB and is public. So it is streamed in parts of a
 * thousand: a client uses the memory of one part, however slowly it reads. Its ETag comes from a
 * separate statement, so that no part is generated for a crawler with a current copy.
 */
#include "access/identity/authenticate.h"
#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "base/text/percent.h"
#include "gen/routes/visitors.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

enum {
    PAGE_ADDRESSES = 50000,
    PAGE_NUMBER_MAX = 50000, /* the maximum of a sitemap index */
    STREAMS_MAX = 16,        /* concurrent files of all threads: each runs fifty queries */
    PART_MAX = 16 * 1024 * 1024,
};

struct site {
    Uuid id;
    Str origin; /* "https://a.example", not escaped */
    int64_t last_number;
};

static fiber_fn Err site_load(struct ctx *ctx, const struct request *request, struct site *ret)
{
    *ret = (struct site){.id = ctx->scope.site};
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITEMAP_SITE, ARGS(db_uuid(ret->id)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_UNKNOWN_SITE, "No site answers to this host.");
    ret->origin = row_text(&rows, 0, SITEMAP_SITE_ORIGIN);
    ret->last_number = row_int(&rows, 0, SITEMAP_SITE_LAST_NUMBER);
    if (ret->origin.len == 0)
        ret->origin = str_printf(ctx->arena, "https://%.*s",
                                 STR_FMT(host_normalise(ctx->arena, request->host)));
    return OK;
}

/* For XML text that contains a URL: characters invalid in URLs are percent-encoded, XML special
 * characters are escaped. Existing percent escapes are kept. */
static void put_address(struct buf *out, Str text)
{
    static const Str plain =
        STR_INIT("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                 "-._~/:?#[]@!$()*+,;=%");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '&')
            buf_put(out, STR("&amp;"));
        else if (c == '\'')
            buf_put(out, STR("&apos;"));
        else if (c != '\0' && str_find_char(plain, c) >= 0)
            buf_put_char(out, c);
        else
            buf_put_percent(out, c);
    }
}

static void put_lastmod(struct buf *out, Str changed)
{
    if (changed.len > 0)
        buf_printf(out, "<lastmod>%.*s</lastmod>", STR_FMT(changed));
}

/* True: the client has the current version; 304 was answered. */
static bool is_known(struct ctx *ctx, const struct request *request, struct reply *reply,
                     uint64_t hash)
{
    Str tag = str_printf(ctx->arena, "W/\"%016" PRIx64 "\"", hash);
    reply_header(reply, STR("etag"), tag);
    reply_header(reply, STR("cache-control"), STR("public, max-age=300"));
    Str rest = request_header(request, STR("if-none-match"));
    Str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (!str_eq(part, STR("*")) && !str_eq(part, tag) &&
            !str_eq(part, str_slice(tag, 2, tag.len)))
            continue;
        reply->status = 304;
        reply->content_type = STR_NONE;
        buf_clear(reply->body);
        return true;
    }
    return false;
}

static const char HEAD[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
static const char SPACE[] = " xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";

fiber_fn Err route_sitemap_index_show(struct ctx *ctx, const struct request *request,
                                      struct reply *reply)
{
    struct site site;
    TRY(site_load(ctx, request, &site));
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITEMAP_INDEX, ARGS(db_uuid(site.id)), &rows));
    struct buf *out = reply->body;
    reply->content_type = STR("application/xml; charset=utf-8");
    buf_printf(out, "%s<sitemapindex%s", HEAD, SPACE);
    for (uint32_t i = 0; i < rows.count; i++) {
        buf_put(out, STR("<sitemap><loc>"));
        put_address(out, site.origin);
        buf_printf(out, "/sitemap-%" PRId64 ".xml</loc>", row_int(&rows, i, SITEMAP_INDEX_PAGE));
        put_lastmod(out, row_text(&rows, i, SITEMAP_INDEX_CHANGED));
        buf_put(out, STR("</sitemap>\n"));
    }
    buf_put(out, STR("</sitemapindex>\n"));
    is_known(ctx, request, reply, str_hash_stable(buf_str(out)));
    return OK;
}

/* Only the canonical number: not "007", not "+7". */
static Err page_number(struct ctx *ctx, Str text, int64_t *ret)
{
    uint64_t number;
    if (text.len > 0 && text.data[0] != '0' && str_to_u64(text, &number) &&
        number <= PAGE_NUMBER_MAX) {
        *ret = (int64_t)number;
        return OK;
    }
    return fail(ctx, ERR_NOT_FOUND, "There is no such sitemap.");
}

/* Sends the next part; advances *from; *ret_is_last when none follows. */
static fiber_fn Err part_send(struct ctx *ctx, struct reply *reply, const struct site *site,
                              int64_t *from, int64_t to, bool *ret_is_last)
{
    enum { PART_ROWS = 1000 };
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITEMAP_PAGE_PART, ARGS(db_uuid(site->id), db_int(*from), db_int(to)),
                 &rows));
    struct buf *out = buf_in_arena(ctx->arena, PART_MAX);
    for (uint32_t i = 0; i < rows.count; i++) {
        buf_put(out, STR("<url><loc>"));
        put_address(out, site->origin);
        put_address(out, row_text(&rows, i, SITEMAP_PAGE_PART_PATH));
        buf_put(out, STR("</loc>"));
        put_lastmod(out, row_text(&rows, i, SITEMAP_PAGE_PART_CHANGED));
        buf_put(out, STR("</url>\n"));
    }
    *ret_is_last = rows.count < PART_ROWS;
    if (rows.count > 0)
        *from = row_int(&rows, rows.count - 1, SITEMAP_PAGE_PART_NUMBER);
    if (*ret_is_last)
        buf_put(out, STR("</urlset>\n"));
    TRY(buf_check(ctx, out, "A part of the sitemap"));
    return reply_stream_write(ctx, reply, buf_str(out));
}

/* Each part has the deadline of a whole request. */
static fiber_fn Err parts_send(struct ctx *ctx, struct reply *reply, const struct site *site,
                               int64_t page)
{
    const int64_t timeout_us = ctx->reactor->settings->request_timeout_ms * MS_US;
    int64_t from = (page - 1) * PAGE_ADDRESSES;
    const int64_t to = page * PAGE_ADDRESSES;
    Str head = str_printf(ctx->arena, "%s<urlset%s", HEAD, SPACE);
    TRY(reply_stream_write(ctx, reply, head));
    ArenaMark mark = arena_mark(ctx->arena);
    for (bool is_last = false; !is_last;) {
        ctx->deadline_us = clock_now_us() + timeout_us;
        TRY(part_send(ctx, reply, site, &from, to, &is_last));
        arena_rewind(ctx->arena, mark);
    }
    return OK;
}

static atomic_uint streams_open;

static void place_leave(const bool *is_held)
{
    if (*is_held)
        atomic_fetch_sub(&streams_open, 1);
}
#define SCOPED_PLACE __attribute__((cleanup(place_leave), unused))

/* After the first byte, rights and schema are no longer compared: the request cannot be
 * restarted. */
static fiber_fn Err page_send(struct ctx *ctx, struct reply *reply, const struct site *site,
                              int64_t page)
{
    TRY(reply_stream_begin(ctx, reply, STR("application/xml; charset=utf-8")));
    ctx->epoch = 0;
    Err err = parts_send(ctx, reply, site, page);
    if (err != OK)
        reply_stream_break(reply);
    return err;
}

fiber_fn Err route_sitemap_page_show(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    int64_t page = 0;
    TRY(page_number(ctx, request->params[0], &page));
    struct site site;
    TRY(site_load(ctx, request, &site));
    const int64_t from = (page - 1) * PAGE_ADDRESSES;
    if (from >= site.last_number)
        return fail(ctx, ERR_NOT_FOUND, "There is no such sitemap.");
    bool has_place SCOPED_PLACE = true;
    if (atomic_fetch_add(&streams_open, 1) >= STREAMS_MAX)
        return fail(ctx, ERR_UNAVAILABLE, "%d sitemaps are already being sent.", STREAMS_MAX);
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITEMAP_PAGE_STATE,
                 ARGS(db_uuid(site.id), db_int(from), db_int(page * PAGE_ADDRESSES)), &rows));
    assert(rows.count == 1);
    int64_t count = row_int(&rows, 0, SITEMAP_PAGE_STATE_COUNT);
    if (count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such sitemap.");
    uint64_t hash = (uint64_t)row_int(&rows, 0, SITEMAP_PAGE_STATE_HASH);
    hash ^= str_hash_stable(
        str_printf(ctx->arena, "%" PRId64 " %" PRId64 " %.*s", page, count, STR_FMT(site.origin)));
    if (is_known(ctx, request, reply, hash))
        return OK;
    return page_send(ctx, reply, &site, page);
}

/* A hostname without a site serves only the API. */
fiber_fn Err route_robots_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const Str type = STR("text/plain; charset=utf-8");
    if (ctx->scope.kind == SCOPE_NONE) {
        reply_text(reply, 200, type, STR("User-agent: *\nDisallow: /"));
        return OK;
    }
    struct site site;
    TRY(site_load(ctx, request, &site));
    reply_text(reply, 200, type,
               STR("User-agent: *\nDisallow: /admin/\nDisallow: /api/\nDisallow: /auth/\n"
                   "Disallow: /god/\nDisallow: /items/\nDisallow: /metrics\nDisallow: /server/\n"
                   "\nSitemap: "));
    put_address(reply->body, site.origin);
    buf_put(reply->body, STR("/sitemap.xml\n"));
    reply_header(reply, STR("cache-control"), STR("public, max-age=300"));
    return OK;
}
