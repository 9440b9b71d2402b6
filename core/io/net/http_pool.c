#include "io/net/http_pool.h"

#include "base/system/clock.h"
#include "io/fiber/loop.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

enum { IDLE_CONNECTIONS_MAX = 32, CONNECTIONS_MAX = 256 /* all of CALLS_MAX */ };

struct http_pool {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
};

/* A descriptor that libcurl wants watched. */
struct http_socket {
    struct http_pool *pool;
    struct watch *watch;
    curl_socket_t fd;
    bool wants_write;
};

static void init_library(void);
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket);
static struct http_socket *socket_new(struct http_pool *pool, curl_socket_t fd);
static int on_timer_change(CURLM *multi, long timeout_ms, void *arg);
static void on_time(void *arg);
static void on_readable(void *arg);
static void on_writable(void *arg);
static void act(struct http_pool *pool, curl_socket_t fd, int events);

struct http_pool *http_pool_new(struct loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
    struct http_pool *pool = calloc(1, sizeof(*pool));
    CURLM *multi = curl_multi_init();
    if (pool == NULL || multi == NULL)
        abort();
    *pool = (struct http_pool){.loop = loop, .multi = multi};
    pool->timer = (struct timer){.on_time = on_time, .arg = pool};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
    return pool;
}

static void init_library(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

void http_pool_free(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    curl_multi_cleanup(pool->multi);
    timer_stop(pool->loop, &pool->timer);
    free(pool);
}

int http_pool_add(struct http_pool *pool, void *easy, struct http_transfer *transfer)
{
    assert(transfer->done != NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    return (int)curl_multi_add_handle(pool->multi, easy);
}

void http_pool_remove(struct http_pool *pool, void *easy)
{
    assert(easy != NULL);
    curl_multi_remove_handle(pool->multi, easy);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    (void)easy;
    struct http_pool *pool = arg;
    struct http_socket *s = socket;
    assert(s == NULL || s->fd == fd);
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL)
            watch_free(s->watch);
        free(s);
        return 0;
    }
    if (s == NULL)
        s = socket_new(pool, fd);
    s->wants_write = (what & CURL_POLL_OUT) != 0;
    watch_set_reading(s->watch, (what & CURL_POLL_IN) != 0);
    if (s->wants_write)
        watch_writable(s->watch, on_writable);
    return 0;
}

static struct http_socket *socket_new(struct http_pool *pool, curl_socket_t fd)
{
    assert(fd >= 0);
    struct http_socket *s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    *s = (struct http_socket){.pool = pool, .fd = fd};
    s->watch = watch_new(pool->loop, fd, on_readable, s);
    curl_multi_assign(pool->multi, fd, s);
    return s;
}

static int on_timer_change(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct http_pool *pool = arg;
    if (timeout_ms < 0)
        timer_stop(pool->loop, &pool->timer);
    else
        timer_start(pool->loop, &pool->timer, clock_now_us() + timeout_ms * MS_US);
    return 0;
}

static void on_time(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_readable(void *arg)
{
    const struct http_socket *s = arg;
    act(s->pool, s->fd, CURL_CSELECT_IN);
}

/* libcurl registers interest once and keeps it; the loop reports once, so it is re-armed. */
static void on_writable(void *arg)
{
    const struct http_socket *s = arg;
    if (!s->wants_write)
        return;
    watch_writable(s->watch, on_writable);
    act(s->pool, s->fd, CURL_CSELECT_OUT);
}

static void act(struct http_pool *pool, curl_socket_t fd, int events)
{
    int running, left;
    curl_multi_socket_action(pool->multi, fd, events, &running);
    for (CURLMsg *m; (m = curl_multi_info_read(pool->multi, &left)) != NULL;) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_transfer *transfer = NULL;
        int code = (int)m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        assert(transfer != NULL);
        transfer->done(transfer->arg, code);
    }
}
