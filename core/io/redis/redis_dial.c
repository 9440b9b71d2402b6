#include "io/redis/redis_dial.h"

#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/redis/redis_address.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    PEERS_MAX = 8,
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_PROBES = 3,
    UNACKNOWLEDGED_MAX_MS = 10000,
};

struct peer {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Written by an offload thread, so it must outlive a cancelled dial. */
struct lookup {
    struct redis_dial *dial; /* NULL: cancelled */
    char host[256];
    char port[8];
    struct peer peers[PEERS_MAX];
    uint32_t count;
    int error; /* from getaddrinfo */
};

struct redis_dial {
    struct loop *loop;
    void (*done)(void *arg, int fd, const char *error);
    void *arg;
    struct lookup *lookup; /* while it runs */
    struct peer peers[PEERS_MAX];
    uint32_t count;
    uint32_t next;
    int fd;
    struct watch *watch;
    struct timer start; /* so that `done` is never called inside redis_dial_start */
    char error[160];
};

static void add_unix(struct redis_dial *dial, const char *path);
static void add_host(struct redis_dial *dial, const struct redis_address *address);
static uint32_t find_peers(const char *host, const char *port, int flags, struct peer *peers,
                           int *ret_error);
static void look_up(void *arg);
static void on_looked_up(void *arg);
static void try_next(void *arg);
static bool connect_to(struct redis_dial *dial, const struct peer *peer);
static void on_connected(void *arg);
static void note_error(struct redis_dial *dial, int error);
static void finish(struct redis_dial *dial);
static void set_options(int fd);

struct redis_dial *redis_dial_start(struct loop *loop, const struct redis_address *address,
                                    void (*done)(void *arg, int fd, const char *error), void *arg)
{
    assert(done != NULL);
    struct redis_dial *dial = calloc(1, sizeof(*dial));
    if (dial == NULL)
        abort();
    *dial = (struct redis_dial){.loop = loop, .done = done, .arg = arg, .fd = -1};
    dial->start = (struct timer){.on_time = try_next, .arg = dial};
    if (address->unix_path != NULL)
        add_unix(dial, address->unix_path);
    else
        add_host(dial, address);
    if (dial->lookup == NULL)
        timer_start(loop, &dial->start, 0);
    return dial;
}

void redis_dial_free(struct redis_dial *dial)
{
    if (dial == NULL)
        return;
    if (dial->lookup != NULL)
        dial->lookup->dial = NULL;
    timer_stop(dial->loop, &dial->start);
    watch_free(dial->watch);
    if (dial->fd >= 0)
        close(dial->fd);
    free(dial);
}

static void add_unix(struct redis_dial *dial, const char *path)
{
    assert(path != NULL);
    struct sockaddr_un *un = (struct sockaddr_un *)&dial->peers[0].address;
    un->sun_family = AF_UNIX;
    snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
    dial->peers[0].len = sizeof(*un);
    dial->count = 1;
}

static void add_host(struct redis_dial *dial, const struct redis_address *address)
{
    assert(address->host != NULL && address->port != NULL);
    int error;
    dial->count = find_peers(address->host, address->port, AI_NUMERICHOST, dial->peers, &error);
    if (error == 0)
        return;
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        abort();
    lookup->dial = dial;
    snprintf(lookup->host, sizeof(lookup->host), "%s", address->host);
    snprintf(lookup->port, sizeof(lookup->port), "%s", address->port);
    if (offload_submit(loop_offload(dial->loop), dial->loop, look_up, on_looked_up, lookup)) {
        dial->lookup = lookup;
        return;
    }
    snprintf(dial->error, sizeof(dial->error), "no thread is free to resolve the name");
    free(lookup);
}

static uint32_t find_peers(const char *host, const char *port, int flags, struct peer *peers,
                           int *ret_error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    uint32_t count = 0;
    *ret_error = getaddrinfo(host, port, &hints, &list);
    if (*ret_error != 0)
        return 0;
    for (struct addrinfo *a = list; a != NULL && count < PEERS_MAX; a = a->ai_next) {
        if (a->ai_addrlen > sizeof(peers->address))
            continue;
        memcpy(&peers[count].address, a->ai_addr, a->ai_addrlen);
        peers[count++].len = a->ai_addrlen;
    }
    freeaddrinfo(list);
    return count;
}

static void look_up(void *arg)
{
    struct lookup *lookup = arg;
    lookup->count = find_peers(lookup->host, lookup->port, 0, lookup->peers, &lookup->error);
}

static void on_looked_up(void *arg)
{
    struct lookup *lookup = arg;
    struct redis_dial *dial = lookup->dial;
    if (dial != NULL) {
        assert(dial->lookup == lookup);
        dial->lookup = NULL;
        dial->count = lookup->count;
        memcpy(dial->peers, lookup->peers, sizeof(dial->peers));
        if (lookup->error != 0)
            snprintf(dial->error, sizeof(dial->error), "%s", gai_strerror(lookup->error));
    }
    free(lookup);
    if (dial != NULL)
        try_next(dial);
}

static void try_next(void *arg)
{
    struct redis_dial *dial = arg;
    assert(dial->fd < 0);
    assert(dial->count <= PEERS_MAX && dial->next <= dial->count);
    while (dial->next < dial->count)
        if (connect_to(dial, &dial->peers[dial->next++]))
            return;
    finish(dial);
}

/* true: connected, or in progress. */
static bool connect_to(struct redis_dial *dial, const struct peer *peer)
{
    assert(dial->fd < 0);
    int fd = socket(peer->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        note_error(dial, errno);
        return false;
    }
    if (peer->address.ss_family != AF_UNIX)
        set_options(fd);
    int failed = connect(fd, (const struct sockaddr *)&peer->address, peer->len);
    if (failed != 0 && errno != EINPROGRESS) {
        note_error(dial, errno);
        close(fd);
        return false;
    }
    dial->fd = fd;
    if (failed == 0) {
        finish(dial);
        return true;
    }
    dial->watch = watch_new(dial->loop, fd, NULL, dial);
    watch_writable(dial->watch, on_connected);
    return true;
}

static void on_connected(void *arg)
{
    struct redis_dial *dial = arg;
    assert(dial->fd >= 0 && dial->watch != NULL);
    int error = 0;
    socklen_t len = sizeof(error);
    getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    watch_free(dial->watch);
    dial->watch = NULL;
    if (error == 0) {
        finish(dial);
        return;
    }
    note_error(dial, error);
    close(dial->fd);
    dial->fd = -1;
    try_next(dial);
}

static void note_error(struct redis_dial *dial, int error)
{
    snprintf(dial->error, sizeof(dial->error), "%s", strerror(error));
}

/* Passes on the socket or the error; the dial is freed. */
static void finish(struct redis_dial *dial)
{
    assert(dial->lookup == NULL);
    struct redis_dial last = *dial;
    dial->fd = -1;
    redis_dial_free(dial);
    last.done(last.arg, last.fd, last.error[0] != '\0' ? last.error : "it has no address");
}

/* Failures are ignored: without these options a socket works, but detects a dead peer later. */
static void set_options(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_IDLE_S}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_INTERVAL_S}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVE_PROBES}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){UNACKNOWLEDGED_MAX_MS},
               sizeof(unsigned));
}
