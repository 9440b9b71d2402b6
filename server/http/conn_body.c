/*
 * Bodies. Up to BODY_EARLY_MAX they are complete before their request is dispatched: a fiber for
 * each slow form would cost more memory than its bytes. A larger body, or one that waits for "100
 * Continue", is received by the request's fiber after the route guard.
 */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "server/http/exchange.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

static bool grow(struct conn *conn, size_t len)
{
    return holding_grow(&conn->server->budgets, &conn->body_holding, len) ||
           conn_make_room(conn->server, &conn->body_holding, len);
}

static enum refusal take_counted(struct conn *conn, const char *bytes, size_t len, size_t *ret_used)
{
    size_t part = min_size(len, conn->body_left);
    if (!grow(conn, part))
        return REFUSAL_NO_ROOM;
    buf_put(&conn->body, str_of(bytes, part));
    conn->body_left -= part;
    conn->is_body_complete = conn->body_left == 0;
    *ret_used = part;
    return REFUSAL_NONE;
}

static enum refusal take_chunked(struct conn *conn, const char *bytes, size_t len, size_t *ret_used)
{
    if (!grow(conn, len))
        return REFUSAL_NO_ROOM;
    char *out = buf_reserve(&conn->body, len);
    if (out == NULL)
        return REFUSAL_BODY_TOO_LARGE;
    size_t written = 0;
    enum refusal refusal = chunks_read(&conn->chunks, bytes, len, ret_used, out, &written);
    if (refusal != REFUSAL_NONE)
        return refusal;
    buf_advance(&conn->body, written);
    holding_shrink(&conn->server->budgets, &conn->body_holding, len - written);
    conn->is_body_complete = conn->chunks.is_complete;
    return REFUSAL_NONE;
}

/* Takes the bytes that belong to the body. */
static enum refusal take(struct conn *conn, const char *bytes, size_t len, size_t *ret_used)
{
    assert(!conn->is_body_complete);
    *ret_used = 0;
    if (len == 0)
        return REFUSAL_NONE;
    enum refusal refusal = conn->head.body == BODY_COUNTED
                               ? take_counted(conn, bytes, len, ret_used)
                               : take_chunked(conn, bytes, len, ret_used);
    return refusal == REFUSAL_NONE && conn->body.is_full ? REFUSAL_BODY_TOO_LARGE : refusal;
}

void conn_begin_body(struct conn *conn, const char *bytes, size_t len)
{
    conn->is_body_complete = conn->head.body == BODY_ABSENT;
    if (conn->is_body_complete) {
        conn_keep_early(conn, bytes, len);
        conn_dispatch(conn);
        return;
    }
    const struct settings *settings = conn->server->reactor->settings;
    buf_init(&conn->body, (size_t)settings->bulk_body_max_bytes + RECEIVE_MAX);
    conn->body_left = conn->head.length;
    conn->chunks = (struct chunks){0};
    conn->body_refusal = REFUSAL_NONE;
    if (conn->address != NULL) {
        conn->address->references++;
        holding_add_owner(&conn->server->budgets, &conn->body_holding, conn->address);
    }
    conn_continue_body(conn, bytes, len);
}

static bool is_late(const struct conn *conn)
{
    return conn->head.expects_continue || conn->body.len + conn->body_left > BODY_EARLY_MAX;
}

void conn_continue_body(struct conn *conn, const char *bytes, size_t len)
{
    size_t before = conn->body.len / PROGRESS_STEP;
    size_t used;
    enum refusal refusal = take(conn, bytes, len, &used);
    if (refusal != REFUSAL_NONE) {
        conn_refuse(conn, refusal);
        return;
    }
    conn_keep_early(conn, bytes + used, len - used);
    if (conn->is_body_complete || is_late(conn))
        conn_dispatch(conn);
    else if (conn->phase != CONN_BODY || conn->body.len / PROGRESS_STEP != before)
        conn_enter(conn, CONN_BODY);
}

void conn_drop_body(struct conn *conn)
{
    buf_finish(&conn->body);
    holding_end(&conn->server->budgets, &conn->body_holding);
}

/* For a fiber */

static void wake(struct conn *conn)
{
    struct wait *wait = conn->body_wait;
    conn->body_wait = NULL;
    wait_end(wait, OK);
}

void conn_refuse_late(struct conn *conn, enum refusal refusal)
{
    assert(conn->body_wait != NULL);
    conn->body_refusal = refusal;
    conn->progress_us = 0; /* the progress of the answer is measured separately */
    conn_drop_body(conn);
    h2o_socket_read_stop(conn->socket);
    wake(conn);
}

void conn_receive_late(struct conn *conn)
{
    char *bytes = conn->server->received;
    ssize_t got = recv(h2o_socket_get_fd(conn->socket), bytes, RECEIVE_MAX, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        h2o_socket_read_stop(conn->socket);
        exchange_lose_client(conn->exchange);
        return;
    }
    size_t used;
    enum refusal refusal = take(conn, bytes, (size_t)got, &used);
    if (refusal == REFUSAL_NONE && conn->body.len > conn->body_max)
        refusal = REFUSAL_BODY_TOO_LARGE;
    if (refusal != REFUSAL_NONE) {
        conn_refuse_late(conn, refusal);
    } else if (conn->is_body_complete) {
        conn_keep_early(conn, bytes + used, (size_t)got - used);
        conn_hold_early(conn);
        wake(conn);
    }
}

static Err refused(struct ctx *ctx, enum refusal refusal)
{
    Str sentence = str_from_z(refusal_info(refusal)->sentence);
    switch (refusal_info(refusal)->status) {
    case 408:
        return fail(ctx, ERR_TIMEOUT, "%.*s", STR_FMT(sentence));
    case 413:
        counter_inc(http_body_rejected);
        return fail(ctx, ERR_TOO_LARGE, "%.*s", STR_FMT(sentence));
    case 503:
        counter_inc(http_bodies_refused);
        return fail(ctx, ERR_UNAVAILABLE, "%.*s", STR_FMT(sentence));
    default:
        counter_inc(http_framing_refused);
        sentence.len--; /* the message template adds the full stop */
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s", STR_FMT(sentence));
    }
}

void exchange_take_body(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;
    assert(conn->is_body_complete && exchange->body.data == NULL);
    exchange->body = conn->body;
    exchange->body_holding = conn->body_holding;
    exchange->request.body = buf_str(&exchange->body);
    conn->body = (struct buf){0};
    conn->body_holding = (struct holding){.budget = BUDGET_BODIES};
}

void exchange_drop_body(struct exchange *exchange)
{
    exchange->request.body = STR_NONE;
    buf_finish(&exchange->body);
    holding_end(&exchange->server->budgets, &exchange->body_holding);
}

fiber_fn Err exchange_receive_body(struct ctx *ctx, struct exchange *exchange, uint64_t max)
{
    struct conn *conn = exchange->conn;
    if (conn == NULL)
        return ERR_CANCELLED;
    if (conn->is_body_complete)
        return OK;
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    int fd = h2o_socket_get_fd(conn->socket);
    if (conn->head.expects_continue &&
        send(fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof go_on - 1)
        return ERR_CANCELLED; /* no data is pending: the client has disconnected */
    exchange_add_owners(exchange, &conn->body_holding);
    struct wait wait = wait_begin();
    conn->body_wait = &wait;
    conn->body_max = max;
    ctx->deadline_us = 0; /* the sweep ends it if no data arrives */
    conn_watch(conn);
    Err err = fiber_wait(ctx, &wait);
    exchange->started_us = clock_now_us(); /* excludes the duration of the body */
    ctx->deadline_us = exchange->started_us + ctx->reactor->settings->request_timeout_ms * MS_US;
    if (exchange->conn == NULL)
        return ERR_CANCELLED;
    conn->body_wait = NULL;
    TRY(err);
    if (conn->body_refusal != REFUSAL_NONE)
        return refused(ctx, conn->body_refusal);
    exchange_take_body(exchange);
    return OK;
}
