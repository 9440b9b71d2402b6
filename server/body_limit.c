/*
 * Limits for bodies that are still coming in.
 *
 * libh2o 2.2 buffers a whole body before it calls us, under one maximum for all routes. So ten
 * times a second the connections in flight are looked at: one whose buffered bytes pass its
 * route's limit is answered 413 on the spot and closed, and when all of them together pass the
 * process-wide budget the largest goes first.
 */
#include "base/clock.h"
#include "base/counters.h"
#include "server/exchange.h"

#include <stdio.h>
#include <sys/socket.h>

enum { SWEEP_US = 100 * 1000, BODY_NONE_MAX = 64 * 1024 };
enum { BODY_TRACK_MAX = 8 * 1024, BODY_PUBLIC_MAX = 16 * 1024, BODY_FORM_MAX = 64 * 1024 };
/* Headers and the body share one buffer. */
enum { HEAD_ALLOWANCE = 64 * 1024 };
static const uint64_t BUFFERED_BUDGET = UINT64_C(512) * 1024 * 1024;

struct sweep {
    struct server *server;
    struct arena *arena;
    uint64_t buffered;
    uint64_t largest_size;
    h2o_conn_t *largest;
    enum envelope largest_envelope;
};

static void on_sweep(void *arg);

uint64_t route_body_max(const struct settings *settings, enum route_body body)
{
    switch (body) {
    case BODY_NONE:
        return BODY_NONE_MAX;
    case BODY_TRACK:
        return BODY_TRACK_MAX;
    case BODY_PUBLIC:
        return BODY_PUBLIC_MAX;
    case BODY_FORM:
        return BODY_FORM_MAX;
    case BODY_CONTENT:
        return (uint64_t)settings->body_max_bytes;
    case BODY_BULK:
        return (uint64_t)settings->bulk_body_max_bytes;
    }
    return BODY_NONE_MAX;
}

void body_sweep_start(struct server *server)
{
    server->sweep.on_time = on_sweep;
    server->sweep.arg = server;
    timer_start(server->reactor->loop, &server->sweep, clock_now_us() + SWEEP_US);
}

static Str body_of(enum envelope envelope)
{
    if (envelope == ENVELOPE_API)
        return STR("{\"error\":true,\"message\":\"The body is larger than this route takes.\","
                   "\"code\":\"CONTENT_TOO_LARGE\"}");
    return STR("{\"errors\":[{\"message\":\"The body is larger than this route takes.\","
               "\"extensions\":{\"code\":\"CONTENT_TOO_LARGE\"}}]}");
}

/* Nothing has been answered on this connection yet, so the bytes can be written by hand; the end
 * of input then makes h2o close it. */
static void refuse(h2o_conn_t *conn, enum envelope envelope)
{
    char answer[512];
    Str body = body_of(envelope);
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n"
                       "Content-Type: application/json; charset=utf-8\r\n"
                       "Content-Length: %zu\r\n\r\n%.*s",
                       body.len, STR_FMT(body));
    int fd = h2o_socket_get_fd(conn->callbacks->get_socket(conn));
    counter_inc(http_body_rejected);
    ssize_t sent = send(fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* a client that does not read is closed all the same */
    shutdown(fd, SHUT_RDWR);
}

static int look_at(h2o_req_t *req, void *arg)
{
    struct sweep *sweep = arg;
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    if (socket == NULL || socket->input == NULL)
        return 0;
    sweep->buffered += socket->input->size;
    int fd = h2o_socket_get_fd(socket);
    if (fd < FD_MAX && sweep->server->by_fd[fd] != NULL)
        return 0; /* complete, and being answered */
    if (socket->input->size <= BODY_NONE_MAX)
        return 0;

    /* What was parsed: req->method and req->path follow when the body is complete. */
    Str path = str_of(req->input.path.base, req->input.path.len);
    ptrdiff_t question = str_find_char(path, '?');
    struct route_match match = router_find(
        sweep->server->router, sweep->arena, str_of(req->input.method.base, req->input.method.len),
        question < 0 ? path : str_slice(path, 0, (size_t)question));
    enum route_body body = match.route != NULL ? match.route->body : BODY_NONE;
    uint64_t max = route_body_max(sweep->server->reactor->settings, body) + HEAD_ALLOWANCE;
    if (socket->input->size > max) {
        refuse(req->conn, envelope_of_path(path));
        return 0;
    }
    if (socket->input->size > sweep->largest_size) {
        sweep->largest_size = socket->input->size;
        sweep->largest = req->conn;
        sweep->largest_envelope = envelope_of_path(path);
    }
    return 0;
}

static void on_sweep(void *arg)
{
    struct server *server = arg;
    struct sweep sweep = {.server = server, .arena = arena_create()};
    server->config.http1.callbacks.foreach_request(&server->h2o, look_at, &sweep);
    if (sweep.buffered > BUFFERED_BUDGET && sweep.largest != NULL)
        refuse(sweep.largest, sweep.largest_envelope);
    arena_destroy(sweep.arena);
    timer_start(server->reactor->loop, &server->sweep, clock_now_us() + SWEEP_US);
}
