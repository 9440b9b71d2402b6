#include "server/http/conn.h"

#include "access/limits/ip_range.h"
#include "base/memory/list.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "server/http/exchange.h"
#include "server/http/sent_bytes.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a turn; further pipelined requests wait for the next turn. */
enum { PIPELINED_US = 5000 };

static void on_close(void *arg);
static void on_readable(h2o_socket_t *socket, const char *err);
static void on_soon(void *arg);
static void receive(struct conn *conn);
static void on_watched(struct conn *conn);

/* The override of h2o_socket_read_start */

static void really_read_start(h2o_socket_t *socket, h2o_socket_cb callback)
{
    static void (*library)(h2o_socket_t *, h2o_socket_cb);
    if (library == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "h2o_socket_read_start");
        assert(symbol != NULL);
        memcpy(&library, &symbol, sizeof library); /* ISO C has no cast for this */
    }
    library(socket, callback);
}

static struct conn *conn_of_socket(const h2o_socket_t *socket)
{
    return socket->on_close.cb == on_close ? socket->on_close.data : NULL;
}

/* libh2o is ready for the next request: the previous answer is sent, or the connection is new. */
static void next_request(struct conn *conn, h2o_socket_cb callback)
{
    assert(conn->exchange == NULL);
    conn->on_head = callback;
    conn->is_watched = false;
    conn->must_close |= conn->is_evicted || (conn->phase == CONN_BUSY && !conn->is_body_complete);
    if (conn->must_close)
        conn_keep_early(conn, "", 0);
    conn_drop_body(conn);
    conn_drop_head(conn);
    bool is_new = conn->phase == CONN_PHASES;
    conn_enter(conn, is_new || conn->early.len > 0 ? CONN_HEAD : CONN_IDLE);
    /* Deferred: libh2o still uses its connection after this call. */
    if (conn->must_close || conn->early.len > 0)
        timer_start(conn->server->reactor->loop, &conn->soon,
                    loop_now_us(conn->server->reactor->loop));
}

/* Overrides the library's function: see conn.h. */
void h2o_socket_read_start(h2o_socket_t *socket, h2o_socket_cb callback)
{
    struct conn *conn = conn_of_socket(socket);
    if (conn != NULL)
        next_request(conn, callback);
    really_read_start(socket, conn != NULL ? on_readable : callback);
}

/* Opening and closing */

static bool is_proxy(const struct server *server, const struct sockaddr *address)
{
    Str proxies = server->reactor->settings->trusted_proxies;
    char text[INET6_ADDRSTRLEN];
    const void *ip =
        address->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
            : &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return proxies.len > 0 && (address->sa_family == AF_INET || address->sa_family == AF_INET6) &&
           inet_ntop(address->sa_family, ip, text, sizeof text) != NULL &&
           ip_in_ranges(str_from_z(text), proxies);
}

/* The account of the address, incremented; false when the limit of connections is reached. */
static bool admit(struct server *server, const struct sockaddr *address, struct account **ret)
{
    struct account *account =
        is_proxy(server, address) ? NULL : account_of_peer(&server->budgets, address);
    int64_t max = server->reactor->settings->connections_per_address;
    if (account != NULL && account->connections >= (uint64_t)max) {
        account_close(&server->budgets, account);
        counter_inc(http_address_refused);
        return false;
    }
    if (account != NULL)
        account->connections++;
    *ret = account;
    return true;
}

static void release(struct server *server, struct account *account)
{
    if (account != NULL)
        account->connections--;
    account_close(&server->budgets, account);
}

void conn_open(struct server *server, int fd, struct sockaddr *address, socklen_t len)
{
    struct account *account;
    if (!admit(server, address, &account)) {
        close(fd);
        return;
    }
    /* Replaces an idle connection; http.c has checked that there is one. */
    if (server->connections >= server->connections_max && !conn_evict_one(server)) {
        release(server, account);
        close(fd);
        return;
    }
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        abort();
    conn->server = server;
    conn->address = account;
    conn->phase = CONN_PHASES;
    conn->linger_fd = -1;
    conn->soon = (struct timer){.on_time = on_soon, .arg = conn};
    conn->body_holding.budget = BUDGET_BODIES;
    conn->head_holding.budget = BUDGET_BODIES;
    buf_init(&conn->early, EARLY_MAX);
    /* It reports readability and leaves reading to us. */
    conn->socket = h2o_evloop_socket_create(
        server->h2o.loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION | H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_setpeername(conn->socket, address, len);
    conn->socket->on_close.cb = on_close;
    conn->socket->on_close.data = conn;
    server->connections++;
    counter_add(COUNTER_http_connections, 1);
    h2o_accept(&server->accept, conn->socket);
    assert(conn->on_head != NULL); /* otherwise the library did not call the function above */
}

static void leave(struct conn *conn)
{
    if (conn->phase == CONN_PHASES)
        return;
    if (conn->phase == CONN_HEAD && conn->address != NULL)
        conn->address->heads--;
    struct conn_list *list = &conn->server->phases[conn->phase];
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        list->first = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    else
        list->last = conn->previous;
    conn->previous = conn->next = NULL;
    list->count--;
    conn->phase = CONN_PHASES;
}

void conn_enter(struct conn *conn, enum conn_phase phase)
{
    leave(conn);
    struct conn_list *list = &conn->server->phases[phase];
    conn->phase = phase;
    conn->since_us = loop_now_us(conn->server->reactor->loop);
    conn->progress_us = 0;
    conn->previous = list->last;
    LIST_APPEND(list->first, list->last, conn);
    list->count++;
    if (phase == CONN_HEAD && conn->address != NULL)
        conn->address->heads++;
}

static void on_close(void *arg)
{
    struct conn *conn = arg;
    struct server *server = conn->server;
    assert(conn->exchange == NULL);
    leave(conn);
    timer_stop(server->reactor->loop, &conn->soon);
    conn_drop_body(conn);
    buf_finish(&conn->early);
    holding_end(&server->budgets, &conn->head_holding);
    release(server, conn->address);
    if (conn->linger_fd >= 0)
        linger_start(server, conn->linger_fd);
    free(conn);
    server->connections--;
    counter_add(COUNTER_http_connections, -1);
    server_connection_is_gone(server);
}

void conn_close(struct conn *conn)
{
    assert(conn->phase != CONN_BUSY);
    conn->on_head(conn->socket, h2o_socket_error_closed);
}

struct conn *conn_of_request(const h2o_req_t *req)
{
    struct conn *conn = conn_of_socket(req->conn->callbacks->get_socket(req->conn));
    assert(conn != NULL && conn->phase == CONN_BUSY);
    return conn;
}

/* Reading */

static void on_readable(h2o_socket_t *socket, const char *err)
{
    (void)err; /* the receiver gets the error */
    struct conn *conn = socket->on_close.data;
    struct loop *loop = conn->server->reactor->loop;
    (void)loop_now_us(loop); /* receiving counts in the duration of this turn */
    if (conn->phase != CONN_BUSY)
        receive(conn);
    else if (conn->body_wait != NULL)
        conn_receive_late(conn);
    else
        on_watched(conn);
    fibers_run_ready(loop); /* this may free the conn */
}

static void receive(struct conn *conn)
{
    if (conn->soon.heap_index != 0)
        return; /* earlier data is processed first */
    char *bytes = conn->server->received;
    ssize_t got = recv(h2o_socket_get_fd(conn->socket), bytes, RECEIVE_MAX, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        conn_close(conn);
    else if (conn->phase == CONN_BODY)
        conn_continue_body(conn, bytes, (size_t)got);
    else
        conn_read_head(conn, bytes, (size_t)got);
}

/*
 * Input that was deferred while libh2o used its connection. One request per connection and turn,
 * and none when the turn is too long: otherwise two thousand pipelined requests, answered from
 * memory, would run in one turn.
 */
static void on_soon(void *arg)
{
    struct conn *conn = arg;
    struct loop *loop = conn->server->reactor->loop;
    assert(conn->phase == CONN_HEAD || conn->phase == CONN_IDLE);
    if (conn->must_close) {
        conn_linger(conn);
        conn_close(conn);
    } else if (clock_now_us() - loop_now_us(loop) >= PIPELINED_US) {
        timer_start(loop, &conn->soon, clock_now_us());
    } else if (is_reset(h2o_socket_get_fd(conn->socket))) {
        conn_close(conn); /* libh2o does not check whether its answer was sent */
    } else {
        conn_read_head(conn, "", 0);
    }
}

/* Watching */

void conn_poll_anew(struct conn *conn)
{
    h2o_socket_cb reader = conn->socket->_cb.read;
    h2o_socket_read_stop(conn->socket);
    if (reader != NULL)
        really_read_start(conn->socket, reader);
}

void conn_watch(struct conn *conn)
{
    assert(conn->phase == CONN_BUSY);
    conn->is_watched = true;
    really_read_start(conn->socket, on_readable);
}

static void on_watched(struct conn *conn)
{
    char byte;
    ssize_t got = recv(h2o_socket_get_fd(conn->socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    h2o_socket_read_stop(conn->socket);
    conn->is_watched = false;
    if (got <= 0 && conn->exchange != NULL)
        exchange_lose_client(conn->exchange);
}
