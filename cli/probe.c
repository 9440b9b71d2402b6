#include "cli/probe.h"

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

static struct addrinfo *resolve(const char *host, int64_t port)
{
    char service[16];
    snprintf(service, sizeof(service), "%d", (int)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, service, &hints, &found) == 0 ? found : NULL;
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

int64_t probe_free_port(const char *host)
{
    struct addrinfo *address = resolve(host, 0);
    if (address == NULL)
        return 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof(bound);
    int64_t port = 0;
    if (fd >= 0 && bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        getsockname(fd, &bound.any, &length) == 0)
        port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return port;
}

Str probe_address(struct arena *arena, const char *host, int64_t port)
{
    const char *shown = reachable_host(host);
    bool is_v6 = strchr(shown, ':') != NULL;
    return str_printf(arena, is_v6 ? "http://[%s]:%d" : "http://%s:%d", shown, (int)port);
}
