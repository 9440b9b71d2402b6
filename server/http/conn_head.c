/*
 * Heads: gathering, charging, and passing them to libh2o. Incomplete heads and pipelined bytes are
 * in `early`; the head of a request in progress exists twice, in libh2o's buffer and in the
 * exchange. That memory is charged to the budget of bodies.
 */
#include "server/http/exchange.h"

#include <assert.h>
#include <stdlib.h>

/* Up to this size, heads are not charged: one of 4 KiB, which is sufficient for browsers. */
enum { HEAD_SMALL_MAX = 8 * 1024 };
enum { COPIES_OF_A_HEAD = 2 };
/* libh2o rewrites a path with escapes or dots, and stores the origin of each of its bytes. */
enum { BYTES_FOR_ONE_OF_A_PATH = 1 + sizeof(size_t) };

void conn_keep_early(struct conn *conn, const char *bytes, size_t len)
{
    struct buf *early = &conn->early;
    if (len == 0) {
        buf_finish(early);
        buf_init(early, EARLY_MAX);
    } else if (early->data != NULL && bytes >= early->data && bytes < early->data + early->cap) {
        memmove(early->data, bytes, len);
        early->len = len;
    } else {
        buf_clear(early);
        buf_put(early, str_of(bytes, len));
    }
}

static uint64_t memory_of_heads(const struct conn *conn)
{
    const struct head *head = &conn->head;
    uint64_t bytes = conn->early.cap;
    if (head->is_complete)
        bytes += (uint64_t)COPIES_OF_A_HEAD * head->size +
                 (uint64_t)BYTES_FOR_ONE_OF_A_PATH * head->path_len;
    return bytes > HEAD_SMALL_MAX ? bytes : 0;
}

/* Charges the current memory; false if the budget is exhausted. */
static bool hold(struct conn *conn)
{
    struct server *server = conn->server;
    struct holding *holding = &conn->head_holding;
    uint64_t bytes = memory_of_heads(conn);
    if (bytes <= holding->bytes) {
        holding_shrink(&server->budgets, holding, holding->bytes - bytes);
        return true;
    }
    if (holding->owners[0] == NULL && conn->address != NULL) {
        conn->address->references++;
        holding_add_owner(&server->budgets, holding, conn->address);
    }
    uint64_t more = bytes - holding->bytes;
    return holding_grow(&server->budgets, holding, more) || conn_make_room(server, holding, more);
}

void conn_hold_early(struct conn *conn)
{
    if (hold(conn))
        return;
    conn_keep_early(conn, "", 0);
    (void)hold(conn);
    conn->must_close = true;
}

void conn_drop_head(struct conn *conn)
{
    conn->head = (struct head){0};
    conn->envelope = ENVELOPE_CMS;
    conn_hold_early(conn);
}

/* libh2o's buffer is empty between two requests; it gets exactly one head. */
static void write_head(struct conn *conn, const char *bytes)
{
    assert(conn->socket->input->size == 0);
    h2o_iovec_t room = h2o_buffer_reserve(&conn->socket->input, conn->head.size);
    if (room.base == NULL)
        abort();
    conn->socket->input->size = head_write(&conn->head, bytes, room.base);
}

static void keep_part(struct conn *conn, const char *bytes, size_t len)
{
    conn_keep_early(conn, bytes, len);
    if (!hold(conn))
        conn_refuse(conn, REFUSAL_NO_ROOM);
    else if (conn->phase == CONN_IDLE)
        conn_enter(conn, CONN_HEAD);
}

void conn_read_head(struct conn *conn, const char *bytes, size_t len)
{
    if (conn->early.len > 0 && len > 0) {
        buf_put(&conn->early, str_of(bytes, len));
        assert(!conn->early.is_full); /* the head limit is reached before */
    }
    if (conn->early.len > 0) {
        bytes = conn->early.data;
        len = conn->early.len;
    }
    enum refusal refusal = head_read(&conn->head, bytes, len);
    if (conn->head.target.len > 0)
        conn->envelope = envelope_of_path(head_part(bytes, conn->head.target));
    if (refusal != REFUSAL_NONE) {
        conn_refuse(conn, refusal);
    } else if (!conn->head.is_complete) {
        keep_part(conn, bytes, len);
    } else if (!hold(conn)) {
        conn_refuse(conn, REFUSAL_NO_ROOM);
    } else {
        write_head(conn, bytes);
        conn_begin_body(conn, bytes + conn->head.size, len - conn->head.size);
    }
}

void conn_dispatch(struct conn *conn)
{
    /* Again: pipelined bytes are stored now. */
    if (!hold(conn)) {
        conn_refuse(conn, REFUSAL_NO_ROOM);
        return;
    }
    conn_enter(conn, CONN_BUSY);
    conn->on_head(conn->socket, NULL);
}
