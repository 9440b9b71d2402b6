#include "server/http/http.h"

#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "base/system/process.h"
#include "base/system/range.h"
#include "server/http/exchange.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ACCEPTS_A_TURN = 64, ACCEPT_PAUSE_US = 100 * 1000 };
/* We implement the timeouts of connections (conn_sweep.c); the library's must never fire
 * earlier. */
enum { LIBRARY_TIMEOUT_MS = 7 * 24 * 3600 * 1000 };
/* The maximum unsent part of an answer in the kernel; the rest waits in our charged copy. */
enum { UNSENT_IN_KERNEL = 256 * 1024 };

static void on_accept(h2o_socket_t *listener, const char *err);
static void configure(struct server *server);

static void accept_resume(void *arg)
{
    struct server *server = arg;
    if (!server->is_draining && server->listener != NULL)
        h2o_socket_read_start(server->listener, on_accept);
}

/* One per thread, for handlers that read their server's state. */
static struct reactor_slot slot;

struct server *server_of(struct reactor *reactor)
{
    struct server *server = reactor_slot_find(reactor, &slot);
    assert(server != NULL);
    return server;
}

struct server *server_new(struct reactor *reactor, const struct server_parts *parts,
                          int listener_fd)
{
    struct server *server = calloc(1, sizeof *server);
    assert(server != NULL);
    server->reactor = reactor;
    server->parts = *parts;
    server->started_us = clock_now_us();
    reactor_slot_set(reactor, &slot, server);
    int64_t max = process_connections_max(reactor->settings) / reactor->settings->server_threads;
    server->connections_max = (uint32_t)max_i64(max, 1);
    budgets_init(&server->budgets, reactor->settings);
    configure(server);
    int unsent = UNSENT_IN_KERNEL; /* accepted sockets inherit it */
    setsockopt(listener_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    h2o_context_init(&server->h2o, loop_native(reactor->loop), &server->config);
    server->accept.ctx = &server->h2o;
    server->accept.hosts = server->config.hosts;
    server->accept_again.on_time = accept_resume;
    server->accept_again.arg = server;
    server->listener = h2o_evloop_socket_create(loop_native(reactor->loop), listener_fd,
                                                H2O_SOCKET_FLAG_DONT_READ);
    server->listener->data = server;
    h2o_socket_read_start(server->listener, on_accept);
    sweep_start(server);
    return server;
}

/* Adds the handlers of the parts, followed by the handler for all other paths. */
static void configure(struct server *server)
{
    h2o_globalconf_t *config = &server->config;
    h2o_config_init(config);
    config->server_name = h2o_iovec_init(H2O_STRLIT("spark"));
    config->http1.req_timeout = LIBRARY_TIMEOUT_MS;
    config->http1.upgrade_to_http2 = 0;
    server->host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    server->parts.add_pages(server);
    h2o_pathconf_t *all = h2o_config_register_path(server->host, "/", 0);
    h2o_handler_t *handler = h2o_create_handler(all, sizeof *handler);
    handler->on_req = exchange_on_request;
}

void server_connection_is_gone(struct server *server)
{
    if (!server->is_draining && server->accept_again.heap_index != 0) {
        timer_stop(server->reactor->loop, &server->accept_again);
        accept_resume(server);
    }
}

/* Out of descriptors, or at the limit of connections: the listener pauses, and the kernel queues
 * connections. */
static void accept_pause(struct server *server)
{
    h2o_socket_read_stop(server->listener);
    timer_start(server->reactor->loop, &server->accept_again, clock_now_us() + ACCEPT_PAUSE_US);
}

/* False: at the limit, and no connection can be replaced. */
static bool has_room(const struct server *server)
{
    return server->connections < server->connections_max || conn_may_evict(server);
}

/* False when none is pending, or none may be accepted now. */
static bool accept_one(struct server *server)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } address;
    socklen_t len = sizeof address;
    int fd = accept4(h2o_socket_get_fd(server->listener), &address.any, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        conn_open(server, fd, &address.any, len);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE)
        log_event(LOG_ERROR, "out_of_descriptors", LOG_I("open", server->connections));
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        accept_pause(server);
    return errno == ECONNABORTED || errno == EINTR;
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct server *server = listener->data;
    if (err != NULL)
        return;
    (void)loop_now_us(server->reactor->loop); /* starts the time of the turn */
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (!has_room(server)) {
            accept_pause(server);
            if (i == 0) /* a connection is pending */
                conn_cut_one(server);
            return;
        }
        if (!accept_one(server))
            return;
    }
}

static void close_all(struct server *server, enum conn_phase phase)
{
    while (server->phases[phase].first != NULL)
        conn_close(server->phases[phase].first);
}

void server_drain(struct server *server)
{
    if (!server->is_draining) {
        server->is_draining = true;
        h2o_socket_read_stop(server->listener);
        h2o_socket_close(server->listener);
        server->listener = NULL;
        /* Not h2o_context_request_shutdown: it also starts an HTTP/2 timer that outlives the
         * drain. */
        server->h2o.shutdown_requested = 1;
    }
    close_all(server, CONN_IDLE);
    close_all(server, CONN_HEAD);
}

int64_t server_age_us(const struct server *server)
{
    return clock_now_us() - server->started_us;
}

void server_abort(struct server *server)
{
    assert(server->is_draining);
    close_all(server, CONN_BODY);
    for (struct conn *conn = server->phases[CONN_BUSY].first; conn != NULL; conn = conn->next)
        shutdown(h2o_socket_get_fd(conn->socket), SHUT_RDWR);
}

bool server_is_draining(const struct server *server)
{
    return server->is_draining;
}

bool server_is_idle(const struct server *server)
{
    return server->connections == 0 && server->in_flight == 0;
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    timer_stop(server->reactor->loop, &server->sweep);
    timer_stop(server->reactor->loop, &server->accept_again);
    linger_end_all(server);
    if (server->listener != NULL)
        h2o_socket_close(server->listener);
    h2o_multithread_queue_t *queue = server->h2o.queue;
    h2o_context_dispose(&server->h2o);
    free(queue); /* libh2o 2.2 closes it but does not free it */
    h2o_config_dispose(&server->config);
    budgets_finish(&server->budgets);
    for (uint32_t i = 0; i < server->arena_count; i++)
        arena_destroy(server->arenas[i]);
    free(server);
}
