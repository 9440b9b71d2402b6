/*
 * The least that libh2o can do: one thread, one event loop, one handler that answers `pong`.
 *
 * It is the ceiling that `GET /server/ping` is held against, so it must be as fast as the library
 * allows: no routing, no arena, no log. Its answer carries a padding header of the length given as
 * the second argument, so that both servers put the same number of bytes on the wire.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ACCEPTS_PER_WAKE = 16,
    BACKLOG = 1024,
    PADDING_MAX = 4096,
    ENTITY_MAX = 1024,
    LOOP_WAIT_MS = 1000,
};

struct bare {
    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    size_t padding_len;
    char padding[PADDING_MAX];
};

static struct bare bare;

static int pong_send(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t body = {H2O_STRLIT("pong")};

    (void)self;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/html; charset=utf-8"));
    if (bare.padding_len > 0)
        h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-pad"), 0, NULL,
                              bare.padding, bare.padding_len);
    h2o_start_response(req, &generator);
    h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void listener_on_readable(h2o_socket_t *listener, const char *err)
{
    if (err != NULL)
        return;
    for (int n = 0; n < ACCEPTS_PER_WAKE; n++) {
        h2o_socket_t *sock = h2o_evloop_socket_accept(listener);
        if (sock == NULL)
            return;
        h2o_accept(&bare.accept, sock);
    }
}

/* A bound and listening socket on 127.0.0.1, or -1 with errno set. */
static int listener_open(uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, BACKLOG) != 0)
        return -1;
    return fd;
}

static void bare_init(size_t padding_len)
{
    h2o_hostconf_t *host;
    h2o_pathconf_t *path;
    h2o_handler_t *handler;

    assert(padding_len <= PADDING_MAX);
    bare.padding_len = padding_len;
    memset(bare.padding, 'x', padding_len);
    h2o_config_init(&bare.config);
    bare.config.max_request_entity_size = ENTITY_MAX;
    bare.config.http1.upgrade_to_http2 = 0;
    host = h2o_config_register_host(&bare.config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(host, "/", 0);
    handler = h2o_create_handler(path, sizeof(*handler));
    handler->on_req = pong_send;
    h2o_context_init(&bare.context, h2o_evloop_create(), &bare.config);
    bare.accept.ctx = &bare.context;
    bare.accept.hosts = bare.config.hosts;
}

/* Reads a whole decimal number between 0 and max; anything else ends the program with usage. */
static unsigned long arg_read(const char *text, unsigned long max)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > max) {
        fprintf(stderr, "bare_h2o: '%s' is not a number from 0 to %lu\n", text, max);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    h2o_socket_t *listener;
    int fd;

    if (argc != 3) {
        fprintf(stderr, "usage: bare_h2o PORT PADDING_BYTES\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    bare_init(arg_read(argv[2], PADDING_MAX));
    fd = listener_open((uint16_t)arg_read(argv[1], UINT16_MAX));
    if (fd < 0) {
        fprintf(stderr, "bare_h2o: cannot listen on port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    listener = h2o_evloop_socket_create(bare.context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, listener_on_readable);
    while (h2o_evloop_run(bare.context.loop, LOOP_WAIT_MS) == 0)
        ;
    return 1;
}
