/*
 * `spark server`: settings, one reactor per thread, listen, serve, drain.
 */
#include "server/main.h"

#include "access/identity/admin_user.h"
#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/system/process.h"
#include "content/changes/changes.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/setup/setup.h"
#include "jobs/queue/crash_page.h"
#include "jobs/queue/queue.h"
#include "server/dispatch/dispatch.h"
#include "server/dispatch/extension_routes.h"
#include "server/dispatch/router.h"
#include "server/http/http.h"
#include "server/pages/pages.h"
#include "visitors/outbound/outbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ABORT_TURNS = 200 };
enum { BACKLOG = 4096, DRAIN_US = 30 * 1000 * 1000, START_AGAIN_US = 100 * 1000 };
enum { OFFLOAD_THREADS = 4, OFFLOAD_QUEUE = 256 };

enum { THREADS_MAX = 64 };

struct thread {
    pthread_t id;
    const struct settings *settings;
    struct offload *offload;
    uint32_t index;
    int listener;
    struct reactor *reactor;
    struct host *host;
    const struct router *router; /* shared by all threads */
    int exit_code;
};

/* Loops for the signal handler to stop; a loop that does not exist yet checks must_stop. */
static struct loop *loops[THREADS_MAX];
static volatile sig_atomic_t thread_count;
static volatile sig_atomic_t must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
    for (int i = 0; i < thread_count; i++)
        if (loops[i] != NULL)
            loop_stop(loops[i]);
}

/* A listening socket, or -1 with errno; errno 0 means that HOST is not an address. Every thread
 * binds its own (SO_REUSEPORT): the kernel distributes connections. */
static int listen_on(const struct settings *settings, uint16_t port)
{
    char host[256];
    char service[8];
    snprintf(host, sizeof host, "%.*s", STR_FMT(settings->host));
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    if (getaddrinfo(host, service, &hints, &found) != 0) {
        errno = 0;
        return -1;
    }
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (settings->server_threads > 1)
            setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    if (fd >= 0 && (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)) {
        int saved = errno;
        close(fd);
        errno = saved;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Creates the administrator of a new database from ADMIN_EMAIL and ADMIN_PASSWORD. */
static fiber_fn Err create_administrator(struct ctx *ctx)
{
    bool is_new;
    TRY(admin_user_ensure(ctx, &is_new));
    if (is_new)
        log_event(LOG_INFO, "administrator_created",
                  LOG_S("email", ctx->reactor->settings->admin_email));
    return OK;
}

/* Detects a changed SECRET at start instead of at the first webhook. */
static fiber_fn Err check_secret(struct ctx *ctx)
{
    uint32_t closed;
    TRY(site_secrets_closed(reactor_platform(ctx), &closed));
    if (closed > 0)
        log_event(LOG_ERROR, "site_secrets_sealed_otherwise", LOG_I("secrets", closed),
                  LOG_Z("reason", "SECRET is not the one that stored secrets of sites were sealed "
                                  "with; restore it, or enter them again"));
    return OK;
}

static fiber_fn Err start_once(struct ctx *ctx, const struct thread *thread)
{
    TRY(db_wait_ready(ctx, ctx->reactor->db));
    if (thread->index == 0)
        TRY(db_check_migrations(reactor_platform(ctx)));
    TRY(redis_wait_ready(ctx, ctx->reactor->redis));
    if (thread->index != 0)
        return OK;
    TRY(check_secret(ctx));
    return create_administrator(ctx);
}

/* PostgreSQL may become unreachable meanwhile; the outage timeout of requests does not apply here.
 * At the deadline, the last reason is reported. */
static fiber_fn Err start_in_time(struct ctx *ctx, const struct thread *thread)
{
    struct diag story = {.count = 0};
    Err err;
    while ((err = start_once(ctx, thread)) == ERR_UNAVAILABLE) {
        story = ctx->diag;
        if (fiber_sleep(ctx, START_AGAIN_US) != OK)
            break;
        diag_clear(ctx);
    }
    if (story.first != NULL && (err == ERR_UNAVAILABLE || err == ERR_TIMEOUT))
        ctx->diag = story;
    return err;
}

/* Within STARTUP_TIMEOUT, PostgreSQL must be reachable with our schema and suitable roles; else the
 * process ends. */
static void startup_run(void *arg)
{
    struct thread *thread = arg;
    struct reactor *reactor = thread->reactor;
    struct arena *arena = arena_create();
    struct ctx ctx = reactor_ctx(reactor, arena, reactor->settings->startup_timeout_s * SECOND_US);
    Err err = start_in_time(&ctx, thread);
    if (err == OK) {
        log_event(LOG_INFO, "ready", LOG_I("thread", reactor->index));
        if (thread->index == 0)
            changes_start(reactor);
    } else if (err != ERR_CANCELLED) {
        Str reason = process_reason(&ctx, err);
        log_event(LOG_ERROR, "startup_failed", LOG_Z("error", err_info(err)->name),
                  LOG_S("reason", reason));
        process_complain("server", reason);
        thread->exit_code = 1;
        on_signal(SIGTERM);
    }
    arena_destroy(arena);
}

static void drain(struct reactor *reactor, struct server *server)
{
    int64_t deadline_us = clock_now_us() + DRAIN_US;
    server_drain(server); /* no connections during the last turns of fibers */
    while (!(server_is_idle(server) && host_is_idle(reactor)) && clock_now_us() < deadline_us) {
        loop_turn(reactor->loop, 50);
        server_drain(server);
    }
    fiber_cancel_all(reactor->loop);
    for (int i = 0; i < ABORT_TURNS && !(server_is_idle(server) && fiber_count(reactor->loop) == 0);
         i++) {
        if (i > ABORT_TURNS / 2)
            server_abort(server); /* cancelled requests had time to answer */
        loop_turn(reactor->loop, 10);
    }
}

static void *serve(void *arg)
{
    struct thread *thread = arg;
    struct reactor *reactor =
        reactor_new(thread->settings, thread->offload, thread->index, "spark-server");
    thread->reactor = reactor;
    host_serve(thread->host, reactor);
    crash_page_show(thread->index);
    loops[thread->index] = reactor->loop;
    queue_use(reactor->redis);
    const struct server_parts parts = {dispatch_answer, thread->router, pages_add};
    struct server *server = server_new(reactor, &parts, thread->listener);
    fiber_spawn(reactor->loop, "startup", startup_run, thread);
    if (!must_stop)
        loop_run(reactor->loop);

    drain(reactor, server);
    server_free(server);
    reactor_free(reactor);
    return NULL;
}

/* Prints one message; returns the exit code. */
static int report_address_error(struct arena *arena, const struct settings *settings, int fault)
{
    Str host = settings->host;
    if (fault == 0 || fault == EADDRNOTAVAIL) {
        process_complain("server",
                         str_printf(arena, "HOST is '%.*s'; it must be an address of this machine",
                                    STR_FMT(host)));
        return PROCESS_MISUSED;
    }
    const char *advice = fault == EADDRINUSE ? ": stop what listens there, or set PORT" : "";
    process_complain("server",
                     str_printf(arena, "cannot listen on %.*s, port %d: %s%s", STR_FMT(host),
                                (int)settings->port, strerror(fault), advice));
    return 1;
}

/* Binds one socket per thread, all to the port that the first one got. */
static bool listen_all(struct thread *threads, const struct settings *settings)
{
    uint16_t port = (uint16_t)settings->port;
    for (int64_t i = 0; i < settings->server_threads; i++) {
        threads[i].listener = listen_on(settings, port);
        if (threads[i].listener < 0)
            return false;
        port = port_of(threads[i].listener);
    }
    log_event(LOG_INFO, "listening", LOG_S("host", settings->host), LOG_I("port", port),
              LOG_I("threads", settings->server_threads));
    return true;
}

/* Reconnecting to PostgreSQL needs a descriptor even when all client connections are in use. */
static void log_connections(const struct settings *settings)
{
    int64_t max = process_connections_max(settings);
    if (max < settings->connections_max)
        log_event(LOG_WARN, "connections_capped", LOG_I("connections", max),
                  LOG_I("wanted", settings->connections_max),
                  LOG_I("descriptors", process_descriptors()));
}

static int serve_all(const struct settings *settings)
{
    process_give_memory_back();
    log_connections(settings);
    static struct thread threads[THREADS_MAX];
    struct arena *arena = arena_create();
    if (!listen_all(threads, settings)) {
        int fault = errno;
        int misused = report_address_error(arena, settings, fault);
        arena_destroy(arena);
        return misused;
    }
    crash_page_show(0);
    struct host *host = host_load(settings, extension_route_is_ours);
    uint32_t route_count;
    const struct route *routes = extension_routes_make(arena, host, &route_count);
    struct router *router = router_new(settings->god_token.len > 0);
    extension_routes_add(router, routes, route_count);
    struct offload *offload = offload_new(OFFLOAD_THREADS, OFFLOAD_QUEUE);
    thread_count = (sig_atomic_t)settings->server_threads;
    for (int i = 0; i < thread_count; i++) {
        threads[i].settings = settings;
        threads[i].offload = offload;
        threads[i].host = host;
        threads[i].router = router;
        threads[i].index = (uint32_t)i;
        if (i > 0)
            pthread_create(&threads[i].id, NULL, serve, &threads[i]);
    }
    serve(&threads[0]);

    int exit_code = threads[0].exit_code;
    for (int i = 1; i < thread_count; i++) {
        pthread_join(threads[i].id, NULL);
        if (threads[i].exit_code > exit_code)
            exit_code = threads[i].exit_code;
    }
    router_free(router);
    offload_free(offload);
    host_free(host);
    arena_destroy(arena);
    log_event(LOG_INFO, "stopped", LOG_I("exit_code", exit_code));
    return exit_code;
}

int server_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct arena *arena = arena_create();
    struct ctx ctx = {.arena = arena};
    struct settings settings;
    int exit_code = PROCESS_MISUSED;
    if (process_begin(&ctx, "server", &settings)) {
        process_on_stop(on_signal);
        exit_code = serve_all(&settings);
    }
    arena_destroy(arena);
    return exit_code;
}
