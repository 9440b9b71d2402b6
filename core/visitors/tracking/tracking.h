/*
 * Tracking: an event is acknowledged once it is in a Redis list; a worker drains the list into
 * PostgreSQL in bulk. While Redis is unavailable or its list is full, the server stores events
 * itself, in batches, and acknowledges them after the commit (tracking_direct.c). An event has its
 * own id and time, so storing it twice, or by both ways, is idempotent.
 *
 * The list contains lines in COPY text format, made by the server, which has checked the site: a
 * drain copies bytes without parsing them.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"
#include "io/redis/redis.h"
#include "jobs/retention/retention.h"

/* Page views, events and conversions, partitioned by month. */
extern const struct retention_table TRACKING_RETENTION[3];

/* The maximum length of a Redis list; further lines go to PostgreSQL. */
enum { TRACKING_BACKLOG_MAX = 2000000 };

/* Each kind has a list in Redis, a staging table and a table (tracking_drain.c). */
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

/* The columns in the order of the line, for COPY. */
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

/*
 * Appends one line with its '
 * '. STR_NONE is null; control characters are escaped, NUL is dropped.
 */
void pageview_line(struct buf *out, const struct pageview *view);
void event_line(struct buf *out, const struct event *event);

/* OK once Redis or PostgreSQL has stored it. ERR_UNAVAILABLE: neither, or too many lines wait for
 * PostgreSQL. */
fiber_fn Err pageview_push(struct ctx *ctx, const struct pageview *view);
fiber_fn Err event_push(struct ctx *ctx, const struct event *event);

/*
 * One turn of the drain for one kind: takes up to TRACKING_DRAIN_MAX lines and stores them in
 * PLATFORM scope with COPY, through a staging table, so that events that are already stored are
 * skipped, and those of deleted sites are dropped. The lines are removed from Redis after the
 * commit; the list of a worker that dies before that is left to tracking_adopt. A line that
 * PostgreSQL refuses is dropped alone. *ret_taken: the number of lines.
 */
enum { TRACKING_DRAIN_MAX = 10000 };
fiber_fn Err tracking_drain(struct platform platform, enum tracking_kind kind, Str worker,
                            uint64_t *ret_taken);
/* Drains the lists, of every kind, that belong to workers that no longer exist. */
fiber_fn Err tracking_adopt(struct platform platform);

/*
 * Formats conversions for advertising networks: Facebook's Conversions API and Google Analytics'
 * Measurement Protocol. Pure: facts in, JSON out.
 */

/* STR_NONE: unknown. */
struct conversion_facts {
    Uuid id;
    int64_t wall_us;
    Str type, value, currency, source, campaign, fbclid;
    Str email, phone;
    Str ip, user_agent, page_url;
    Str test_code; /* for Facebook's test page */
};

/* Facebook matches events by data of the person: without any, the event is useless. */
bool facebook_can_match(const struct conversion_facts *facts);
/* E-mail addresses and phone numbers are only sent as SHA-256. */
void facebook_event_write(struct buf *out, struct arena *arena,
                          const struct conversion_facts *facts);

/* The visitor's Google cookie is unknown, so each conversion has its own client id. */
void google_event_write(struct buf *out, struct arena *arena, const struct conversion_facts *facts);

/*
 * Parses a User-Agent: device, browser, system, and whether it is a known robot. Substrings in a
 * fixed order, the first match wins (specification: spark.md B.1, with its errors corrected: phones
 * are checked before the systems they resemble).
 */
struct visitor {
    Str device_type; /* desktop, mobile, tablet */
    Str browser;
    Str os;
    bool is_bot;
    Str bot_name; /* STR_NONE unless is_bot */
};
struct visitor visitor_of(Str user_agent);
