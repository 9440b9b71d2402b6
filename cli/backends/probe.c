#include "cli/backends/probe.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *reachable_host(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "*") == 0)
        return "127.0.0.1";
    if (strcmp(host, "::") == 0)
        return "::1";
    return host;
}

static int resolve_for(const char *host, int64_t port, int flags, struct addrinfo **ret)
{
    char service[16];
    snprintf(service, sizeof(service), "%d", (int)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    return getaddrinfo(host, service, &hints, ret);
}

static struct addrinfo *resolve(const char *host, int64_t port)
{
    struct addrinfo *found = NULL;
    return resolve_for(host, port, 0, &found) == 0 ? found : NULL;
}

static int connect_to(const char *host, int64_t port)
{
    struct addrinfo *address = resolve(reachable_host(host), port);
    int fd = -1;
    for (const struct addrinfo *a = address; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        struct timeval timeout = {.tv_sec = 2};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    if (address != NULL)
        freeaddrinfo(address);
    return fd;
}

bool probe_server(const char *host, int64_t port)
{
    static const char request[] =
        "GET /server/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[64];
    int fd = connect_to(host, port);
    if (fd < 0)
        return false;
    bool is_there = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0;
    ssize_t length = is_there ? recv(fd, answer, sizeof(answer), 0) : 0;
    close(fd);
    return length >= 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

/* 0, or errno. Binds as the server does, so sockets in TIME_WAIT do not matter. */
static int try_listen(const struct addrinfo *address, int64_t *ret_port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof(bound);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    bool is_listening = bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
                        listen(fd, 1) == 0 && getsockname(fd, &bound.any, &length) == 0;
    int error = is_listening ? 0 : errno;
    close(fd);
    if (is_listening)
        *ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return error;
}

Err probe_listen(struct ctx *ctx, const char *host, int64_t port, int64_t *ret_port)
{
    struct addrinfo *address = NULL;
    int fault = resolve_for(host, port, AI_PASSIVE, &address);
    if (fault != 0)
        return fail(ctx, ERR_CONFIG, "HOST is '%s'; it must be an address of this machine: %s",
                    host, gai_strerror(fault));
    int error = try_listen(address, ret_port);
    freeaddrinfo(address);
    if (error == EADDRINUSE)
        return fail(ctx, ERR_CONFLICT, "port %d is in use: stop what listens there, or set PORT",
                    (int)port);
    if (error == EADDRNOTAVAIL)
        return fail(ctx, ERR_CONFIG, "HOST is '%s'; it must be an address of this machine", host);
    if (error != 0)
        return fail(ctx, ERR_CONFLICT, "cannot listen on %s, port %d: %s", host, (int)port,
                    strerror(error));
    return OK;
}

Str probe_address(struct arena *arena, const char *host, int64_t port)
{
    const char *shown = reachable_host(host);
    bool is_v6 = strchr(shown, ':') != NULL;
    return str_printf(arena, is_v6 ? "http://[%s]:%d" : "http://%s:%d", shown, (int)port);
}
