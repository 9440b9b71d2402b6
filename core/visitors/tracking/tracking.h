/*
 * Tracking: events are acknowledged once they are in a Redis list, and drained in bulk into
 * PostgreSQL by a worker. While Redis is away, or its list is full, the server stores them itself,
 * in batches, and acknowledges what is committed (tracking_direct.c). An event carries its own id
 * and time, so storing it twice, or once by each way, stores it once.
 *
 * The list holds lines of COPY's text format, made by the server that checked the site: a drain
 * moves bytes and parses nothing.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"
#include "io/redis/redis.h"
#include "jobs/retention/retention.h"

/* Page views, events and conversions, by month. */
extern const struct retention_table TRACKING_RETENTION[3];

/* Lines that wait in a list of Redis; beyond it they go to PostgreSQL. */
enum { TRACKING_BACKLOG_MAX = 2000000 };

/* What is tracked; each has a list in Redis, a staging table and a table (tracking_drain.c). */
enum tracking_kind { TRACKING_PAGEVIEWS, TRACKING_EVENTS, TRACKING_KINDS };

struct pageview {
    Uuid id;
    Uuid site;
    int64_t wall_us;
    Str page_path;
    Str page_title;
    Str session_id;
    Str visitor_id;
    Str referrer;
    Str user_agent;
    Str ip_address;
    Str device_type;
    Str browser;
    Str os;
    Str utm_source;
    Str utm_medium;
    Str utm_campaign;
    Str utm_content;
    Str utm_term;
    bool is_bot;
    Str bot_name;
};

/* The columns in the order of the line, for the drain's COPY. */
#define PAGEVIEW_COLUMNS                                                                           \
    "id, site_id, timestamp, page_path, page_title, session_id, visitor_id, referrer, "            \
    "user_agent, ip_address, device_type, browser, os, utm_source, utm_medium, utm_campaign, "     \
    "utm_content, utm_term, is_bot, bot_name"

struct event {
    Uuid id;
    Uuid site;
    int64_t wall_us;
    Str event_name;
    Str event_category;
    Str event_label;
    Str event_value;
    Str page_path;
    Str session_id;
    Str visitor_id;
    Str metadata; /* JSON */
    Str user_agent;
    Str ip_address;
};

#define EVENT_COLUMNS                                                                              \
    "id, site_id, timestamp, event_name, event_category, event_label, event_value, page_path, "    \
    "session_id, visitor_id, metadata, user_agent, ip_address"

/* One line with its '\n'. STR_NONE is null; control characters are escaped, NUL dropped. */
void pageview_line(struct buf *out, const struct pageview *view);
void event_line(struct buf *out, const struct event *event);

/* OK once Redis has it, or PostgreSQL. ERR_UNAVAILABLE: neither, or too many wait for PostgreSQL.
 */
fiber_fn Err pageview_push(struct ctx *ctx, const struct pageview *view);
fiber_fn Err event_push(struct ctx *ctx, const struct event *event);

/*
 * One turn of the drain of one kind: takes up to TRACKING_DRAIN_MAX lines and stores them on the
 * platform lane with COPY, through a staging table, so that an event that is stored already is
 * passed over, and one whose site is gone is dropped. What was taken leaves Redis after the commit;
 * a worker that dies in between leaves its list to tracking_adopt. A line that PostgreSQL refuses
 * is dropped alone. *ret_taken: how many lines there were.
 */
enum { TRACKING_DRAIN_MAX = 10000 };
fiber_fn Err tracking_drain(struct platform platform, enum tracking_kind kind, Str worker,
                            uint64_t *ret_taken);
/* Drains what takers that are no workers any more have left, of every kind. */
fiber_fn Err tracking_adopt(struct platform platform);

/*
 * A conversion as the advertising networks want it told: Facebook's Conversions API and Google
 * Analytics' Measurement Protocol. Pure: facts in, JSON out.
 */

/* STR_NONE where nothing is known. */
struct conversion_facts {
    Uuid id;
    int64_t wall_us;
    Str type, value, currency, source, campaign, fbclid;
    Str email, phone;
    Str ip, user_agent, page_url;
    Str test_code; /* Facebook's, for its test page */
};

/* Facebook matches by what it knows of a person: without any of it the event is worth nothing. */
bool facebook_can_match(const struct conversion_facts *facts);
/* E-mail addresses and phone numbers leave as SHA-256 only. */
void facebook_event_write(struct buf *out, struct arena *arena,
                          const struct conversion_facts *facts);

/* Of a visitor whose cookie nobody asked for: the conversion is a client of its own. */
void google_event_write(struct buf *out, struct arena *arena, const struct conversion_facts *facts);

/*
 * What a User-Agent says: device, browser, system, and whether it is a known robot. Substrings in
 * a fixed order, first match wins (specification: spark.md B.1, with its faults mended: phones are
 * asked for before the systems they resemble).
 */
struct visitor {
    Str device_type; /* desktop, mobile, tablet */
    Str browser;
    Str os;
    bool is_bot;
    Str bot_name; /* STR_NONE unless is_bot */
};
struct visitor visitor_of(Str user_agent);
