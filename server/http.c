#include "server/http.h"

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "server/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ACCEPTS_A_TURN = 16, ACCEPT_PAUSE_US = 100 * 1000 };
/* Head and body together have to arrive in this time; it is also the idle time of keep-alive. */
enum { CONNECTION_TIMEOUT_MS = 30 * 1000 };

static void on_accept(h2o_socket_t *listener, const char *err);
static void configure(struct server *server);

static void accept_resume(void *arg)
{
    struct server *server = arg;
    if (!server->is_draining && server->listener != NULL)
        h2o_socket_read_start(server->listener, on_accept);
}

struct server *server_new(struct reactor *reactor, struct router *router, int listener_fd)
{
    struct server *server = calloc(1, sizeof *server);
    assert(server != NULL);
    server->reactor = reactor;
    server->router = router;
    server->started_us = clock_now_us();
    reactor->slots[SLOT_SERVER] = server;
    configure(server);
    h2o_context_init(&server->h2o, loop_native(reactor->loop), &server->config);
    server->accept.ctx = &server->h2o;
    server->accept.hosts = server->config.hosts;
    server->accept_again.on_time = accept_resume;
    server->accept_again.arg = server;
    server->listener = h2o_evloop_socket_create(loop_native(reactor->loop), listener_fd,
                                                H2O_SOCKET_FLAG_DONT_READ);
    server->listener->data = server;
    h2o_socket_read_start(server->listener, on_accept);
    body_sweep_start(server);
    return server;
}

/* The static pages under /admin; everything else goes to dispatch. */
static void configure(struct server *server)
{
    const struct settings *settings = server->reactor->settings;
    h2o_globalconf_t *config = &server->config;
    h2o_config_init(config);
    config->server_name = h2o_iovec_init(H2O_STRLIT("spark"));
    config->max_request_entity_size = (size_t)settings->bulk_body_max_bytes;
    config->http1.req_timeout = CONNECTION_TIMEOUT_MS;
    config->http1.upgrade_to_http2 = 0;
    h2o_hostconf_t *host =
        h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);

    if (settings->static_path.len > 0) {
        pages_register(host, "/admin", settings->static_path, "");
        pages_register(host, "/js", settings->static_path, "/js"); /* what sites' pages load */
    }
    h2o_pathconf_t *all = h2o_config_register_path(host, "/", 0);
    h2o_handler_t *handler = h2o_create_handler(all, sizeof *handler);
    handler->on_req = dispatch_on_request;
}

static void on_close(void *arg)
{
    struct server *server = arg;
    server->connections--;
    counter_add(COUNTER_http_connections, -1);
    if (!server->is_draining && server->accept_again.heap_index == 0 &&
        server->connections + 1 == (uint32_t)server->reactor->settings->connections_max)
        accept_resume(server);
}

/* Out of descriptors, or as many connections as allowed: the listener rests, the kernel's queue
 * holds the rest. */
static void accept_pause(struct server *server)
{
    h2o_socket_read_stop(server->listener);
    timer_start(server->reactor->loop, &server->accept_again, clock_now_us() + ACCEPT_PAUSE_US);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct server *server = listener->data;
    if (err != NULL)
        return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (server->connections >= (uint32_t)server->reactor->settings->connections_max) {
            accept_pause(server);
            return;
        }
        errno = 0;
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (socket == NULL) {
            if (errno == EMFILE || errno == ENFILE) {
                log_event(LOG_ERROR, "out_of_descriptors", LOG_I("open", server->connections));
                accept_pause(server);
            }
            return;
        }
        server->connections++;
        counter_add(COUNTER_http_connections, 1);
        socket->on_close.cb = on_close;
        socket->on_close.data = server;
        h2o_accept(&server->accept, socket);
    }
}

/* A connection between two requests has no version yet. */
static int close_if_idle(h2o_req_t *req, void *arg)
{
    (void)arg;
    if (req->version == 0)
        shutdown(h2o_socket_get_fd(req->conn->callbacks->get_socket(req->conn)), SHUT_RD);
    return 0;
}

void server_drain(struct server *server)
{
    if (!server->is_draining) {
        server->is_draining = true;
        h2o_socket_read_stop(server->listener);
        h2o_socket_close(server->listener);
        server->listener = NULL;
        /* Not h2o_context_request_shutdown: it also arms a timer of HTTP/2's that outlives the
         * drain. */
        server->h2o.shutdown_requested = 1;
    }
    server->config.http1.callbacks.foreach_request(&server->h2o, close_if_idle, NULL);
}

int64_t server_age_us(const struct server *server)
{
    return clock_now_us() - server->started_us;
}

static int close_now(h2o_req_t *req, void *arg)
{
    (void)arg;
    shutdown(h2o_socket_get_fd(req->conn->callbacks->get_socket(req->conn)), SHUT_RDWR);
    return 0;
}

void server_abort(struct server *server)
{
    assert(server->is_draining);
    server->config.http1.callbacks.foreach_request(&server->h2o, close_now, NULL);
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
    if (server->listener != NULL)
        h2o_socket_close(server->listener);
    h2o_multithread_queue_t *queue = server->h2o.queue;
    h2o_context_dispose(&server->h2o);
    free(queue); /* libh2o 2.2 closes it and forgets it */
    h2o_config_dispose(&server->config);
    for (uint32_t i = 0; i < server->arena_count; i++)
        arena_destroy(server->arenas[i]);
    free(server);
}
