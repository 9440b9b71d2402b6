/* Answers without libh2o, and delayed closing so that the client can read them. */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "server/http/exchange.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGERS_MAX = 64, LINGER_US = 10 * 1000 * 1000, LINGER_BYTES = 64 * 1024 * 1024 };

/* A closed connection whose remaining input is discarded. */
struct lingering {
    struct lingering *next;
    struct server *server;
    struct watch *watch;
    int fd;
    int64_t until_us;
    int64_t left;
};

static const char *reason_of_refusal(int status)
{
    switch (status) {
    case 408:
        return "Request Timeout";
    case 413:
        return "Payload Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

static void count(enum refusal refusal)
{
    if (refusal == REFUSAL_HEAD_TIMEOUT)
        counter_inc(http_head_timeouts);
    else if (refusal == REFUSAL_BODY_TIMEOUT)
        counter_inc(http_body_timeouts);
    else if (refusal == REFUSAL_NO_ROOM)
        counter_inc(http_bodies_refused);
    else
        counter_inc(http_framing_refused);
    if (refusal_info(refusal)->status >= 500)
        counter_inc(http_errors_server);
    else
        counter_inc(http_errors_client);
}

/* The messages and codes need no JSON escaping except for the quotes around "chunked". */
static int write_body(char *out, size_t room, const struct refusal_info *info,
                      enum envelope envelope)
{
    char sentence[160];
    size_t len = 0;
    for (const char *at = info->sentence; *at != '\0' && len + 2 < sizeof sentence; at++) {
        if (*at == '"')
            sentence[len++] = '\\';
        sentence[len++] = *at;
    }
    sentence[len] = '\0';
    const char *format =
        envelope == ENVELOPE_API
            ? "{\"error\":true,\"message\":\"%s\",\"code\":\"%s\"}"
            : "{\"errors\":[{\"message\":\"%s\",\"extensions\":{\"code\":\"%s\"}}]}";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return snprintf(out, room, format, sentence, info->code);
#pragma GCC diagnostic pop
}

void conn_refuse(struct conn *conn, enum refusal refusal)
{
    assert(refusal != REFUSAL_NONE && conn->phase != CONN_BUSY);
    const struct refusal_info *info = refusal_info(refusal);
    char body[320];
    char answer[640];
    int body_len = write_body(body, sizeof body, info, conn->envelope);
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 %d %s\r\nConnection: close\r\nServer: spark\r\n%s"
                       "Content-Type: application/json; charset=utf-8\r\n"
                       "X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n%s",
                       info->status, reason_of_refusal(info->status),
                       info->status == 503 ? "Retry-After: 1\r\n" : "", body_len, body);
    assert(body_len < (int)sizeof body && len < (int)sizeof answer);
    count(refusal);
    log_event(LOG_INFO, "connection_refused", LOG_Z("reason", info->name),
              LOG_I("status", info->status));
    /* Earlier answers are sent, so these few bytes fit into the socket buffer; if the client is
     * gone the connection is closed anyway. */
    ssize_t sent =
        send(h2o_socket_get_fd(conn->socket), answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    conn_linger(conn);
    conn_close(conn);
}

void conn_linger(struct conn *conn)
{
    if (conn->linger_fd >= 0 || conn->server->linger_count >= LINGERS_MAX)
        return;
    conn->linger_fd = fcntl(h2o_socket_get_fd(conn->socket), F_DUPFD_CLOEXEC, 0);
    conn->server->linger_count += conn->linger_fd >= 0;
}

static void linger_end(struct lingering *linger)
{
    struct server *server = linger->server;
    struct lingering **at = &server->lingers;
    while (*at != linger)
        at = &(*at)->next;
    *at = linger->next;
    server->linger_count--;
    watch_free(linger->watch);
    close(linger->fd);
    free(linger);
}

static void on_linger(void *arg)
{
    struct lingering *linger = arg;
    ssize_t got = recv(linger->fd, linger->server->received, RECEIVE_MAX, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    linger->left -= got;
    if (got <= 0 || linger->left <= 0)
        linger_end(linger);
}

void linger_start(struct server *server, int fd)
{
    struct lingering *linger = malloc(sizeof *linger);
    if (linger == NULL)
        abort();
    shutdown(fd, SHUT_WR);
    *linger = (struct lingering){
        .next = server->lingers,
        .server = server,
        .fd = fd,
        .until_us = clock_now_us() + LINGER_US,
        .left = LINGER_BYTES,
    };
    linger->watch = watch_new(server->reactor->loop, fd, on_linger, linger);
    server->lingers = linger;
}

void linger_end_all(struct server *server)
{
    while (server->lingers != NULL)
        linger_end(server->lingers);
}

void linger_end_late(struct server *server, int64_t now_us)
{
    struct lingering *next;
    for (struct lingering *linger = server->lingers; linger != NULL; linger = next) {
        next = linger->next;
        if (linger->until_us <= now_us)
            linger_end(linger);
    }
}
