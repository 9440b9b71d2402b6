#include "io/pg/session/db_connect.h"

#include "base/system/counters.h"
#include "base/system/fault.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ERROR_SIZE = 256,
    KEYWORDS_MAX = 64,
    SERVER_VERSION_MIN = 150000,
    BACKOFF_MIN_US = 50 * 1000,
    BACKOFF_MAX_US = 2 * 1000 * 1000,
};

struct connect_task {
    struct connect_target target; /* its texts are NUL-terminated copies */
    void (*done)(void *owner, PGconn *pg, const char *error);
    void *owner; /* NULL: cancelled */
    PGconn *pg;
    bool is_refused; /* by fault injection */
    char error[ERROR_SIZE];
};

/* The arguments of PQconnectdbParams. */
struct keywords {
    const char *keys[KEYWORDS_MAX];
    const char *values[KEYWORDS_MAX];
    uint32_t count;
};

static void task_run(void *arg);
static void task_done(void *arg);
static void task_refused(void *arg);
static Str copy(Str s);
static PGconn *connect_checked(const struct keywords *keywords, char *error, size_t error_size);
static bool set_up(PGconn *pg, const struct connect_target *target, char *error, size_t size);
static void put_one_line(char *out, size_t size, const char *message);
static bool run_listen(PGconn *pg, Str channel);
static char *join_options(const PQconninfoOption *options, Str ours);
static void add(struct keywords *keywords, const char *key, const char *value);
static void add_default(struct keywords *keywords, const PQconninfoOption *options, const char *key,
                        const char *value);
static const char *option_value(const PQconninfoOption *options, const char *key);
static void ignore_notice(void *arg, const PGresult *result);

struct connect_task *connect_start(struct loop *loop, const struct connect_target *target,
                                   void (*done)(void *owner, PGconn *pg, const char *error),
                                   void *owner)
{
    assert(done != NULL && owner != NULL);
    struct connect_task *task = calloc(1, sizeof(*task));
    if (task == NULL)
        abort();
    *task = (struct connect_task){
        .target = *target,
        .done = done,
        .owner = owner,
        .is_refused = fault_fires(FAULT_connect_refused),
    };
    task->target.url = copy(target->url);
    task->target.application = copy(target->application);
    task->target.options = copy(target->options);
    task->target.listen = copy(target->listen);
    /* A full queue is a failed attempt like any other; it is not reported from inside this call. */
    if (!offload_submit(loop_offload(loop), loop, task_run, task_done, task))
        loop_post(loop, task_refused, task);
    return task;
}

void connect_cancel(struct connect_task *task)
{
    if (task != NULL)
        task->owner = NULL;
}

static void task_run(void *arg)
{
    struct connect_task *task = arg;
    assert(task->pg == NULL);
    if (task->is_refused)
        snprintf(task->error, sizeof(task->error), "the fault connect_refused is armed");
    else
        task->pg = connect_now(&task->target, task->error, sizeof(task->error));
}

static void task_done(void *arg)
{
    struct connect_task *task = arg;
    if (task->pg != NULL)
        counter_inc(db_connects);
    else
        counter_inc(db_connect_failures);
    if (task->owner != NULL)
        task->done(task->owner, task->pg, task->error);
    else
        PQfinish(task->pg);
    free((char *)(uintptr_t)task->target.url.data);
    free((char *)(uintptr_t)task->target.application.data);
    free((char *)(uintptr_t)task->target.options.data);
    free((char *)(uintptr_t)task->target.listen.data);
    free(task);
}

static void task_refused(void *arg)
{
    struct connect_task *task = arg;
    snprintf(task->error, sizeof(task->error), "the offload queue is full");
    task_done(task);
}

static Str copy(Str s)
{
    char *data = malloc(s.len + 1);
    if (data == NULL)
        abort();
    if (s.len > 0)
        memcpy(data, s.data, s.len);
    data[s.len] = '\0';
    return str_of(data, s.len);
}

PGconn *connect_now(const struct connect_target *target, char *error, size_t error_size)
{
    assert(target->url.data != NULL && error_size > 0);
    /* Not libpq's own message: it may quote a part of the password. */
    PQconninfoOption *options = PQconninfoParse(target->url.data, NULL);
    if (options == NULL) {
        snprintf(error, error_size, "the connection string cannot be parsed");
        return NULL;
    }
    struct keywords keywords = {0};
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (o->val != NULL)
            add(&keywords, o->keyword, o->val);
    char *joined = join_options(options, target->options);
    add(&keywords, "options", joined);
    add(&keywords, "application_name", target->application.data);
    add(&keywords, "client_encoding", "UTF8");
    add_default(&keywords, options, "connect_timeout", "5");
    add_default(&keywords, options, "keepalives_idle", "30");
    add_default(&keywords, options, "keepalives_interval", "5");
    add_default(&keywords, options, "keepalives_count", "3");
    add_default(&keywords, options, "tcp_user_timeout", "10000");
    /* Searching for a Kerberos ticket costs milliseconds, so it must be enabled explicitly. */
    add_default(&keywords, options, "gssencmode", "disable");

    PGconn *pg = connect_checked(&keywords, error, error_size);
    free(joined);
    PQconninfoFree(options);
    if (pg != NULL && !set_up(pg, target, error, error_size)) {
        PQfinish(pg);
        return NULL;
    }
    return pg;
}

static PGconn *connect_checked(const struct keywords *keywords, char *error, size_t error_size)
{
    assert(keywords->count < KEYWORDS_MAX && keywords->keys[keywords->count] == NULL);
    PGconn *pg = PQconnectdbParams(keywords->keys, keywords->values, 0);
    if (pg == NULL)
        abort();
    if (PQstatus(pg) == CONNECTION_OK && PQserverVersion(pg) >= SERVER_VERSION_MIN) {
        PQsetNoticeReceiver(pg, ignore_notice, NULL);
        return pg;
    }
    if (PQstatus(pg) == CONNECTION_OK)
        snprintf(error, error_size, "PostgreSQL 15 or newer is needed, this is %d",
                 PQserverVersion(pg) / 10000);
    else
        put_one_line(error, error_size, PQerrorMessage(pg));
    PQfinish(pg);
    return NULL;
}

static bool set_up(PGconn *pg, const struct connect_target *target, char *error, size_t size)
{
    bool is_ready = true;
    if (target->listen.len > 0)
        is_ready = run_listen(pg, target->listen);
    if (target->is_pipeline)
        is_ready = is_ready && PQenterPipelineMode(pg) == 1;
    if (target->is_pipeline || target->listen.len > 0)
        is_ready = is_ready && PQsetnonblocking(pg, 1) == 0;
    if (!is_ready)
        put_one_line(error, size, PQerrorMessage(pg));
    return is_ready;
}

/* libpq's messages have several lines and end with a newline. */
static void put_one_line(char *out, size_t size, const char *message)
{
    assert(size > 0);
    size_t len = 0;
    for (const char *c = message; *c != '\0' && len + 1 < size; c++) {
        bool is_space = *c == '\n' || *c == '\t' || *c == ' ';
        if (!is_space)
            out[len++] = *c;
        else if (len > 0 && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
    assert(len < size);
}

static bool run_listen(PGconn *pg, Str channel)
{
    assert(channel.len > 0);
    char *name = PQescapeIdentifier(pg, channel.data, channel.len);
    if (name == NULL)
        return false;
    size_t size = channel.len * 2 + 16;
    char *sql = malloc(size);
    if (sql == NULL)
        abort();
    snprintf(sql, size, "listen %s", name);
    PQfreemem(name);
    PGresult *result = PQexec(pg, sql);
    bool is_ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    free(sql);
    return is_ok;
}

/* Options of the URL first: for a repeated name the later one wins, and the role must be ours. If
 * all are empty the result is empty: libpq sends even a single space, which a pooler refuses. */
static char *join_options(const PQconninfoOption *options, Str ours)
{
    Str theirs = str_trim(str_from_z(option_value(options, "options")));
    bool are_both = theirs.len > 0 && ours.len > 0;
    char *joined = NULL;
    if (asprintf(&joined, "%.*s%s%.*s", STR_FMT(theirs), are_both ? " " : "", STR_FMT(ours)) < 0)
        abort();
    return joined;
}

/* A later pair with the same keyword replaces the earlier one, as in libpq. */
static void add(struct keywords *keywords, const char *key, const char *value)
{
    assert(keywords->count + 1 < KEYWORDS_MAX);
    keywords->keys[keywords->count] = key;
    keywords->values[keywords->count] = value;
    keywords->count++;
}

static void add_default(struct keywords *keywords, const PQconninfoOption *options, const char *key,
                        const char *value)
{
    if (option_value(options, key) == NULL)
        add(keywords, key, value);
}

static const char *option_value(const PQconninfoOption *options, const char *key)
{
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (strcmp(o->keyword, key) == 0)
            return o->val;
    return NULL;
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

void connect_place(Str url, char *out, size_t size)
{
    assert(size > 0);
    char *copied = (char *)(uintptr_t)copy(url).data;
    PQconninfoOption *options = PQconninfoParse(copied, NULL);
    const char *host = options != NULL ? option_value(options, "host") : NULL;
    if (host == NULL && options != NULL)
        host = option_value(options, "hostaddr");
    const char *port = options != NULL ? option_value(options, "port") : NULL;
    snprintf(out, size, "%s%s%s", host != NULL ? host : "the local socket", port != NULL ? ":" : "",
             port != NULL ? port : "");
    PQconninfoFree(options);
    free(copied);
}

int64_t connect_backoff_us(uint32_t failures, uint64_t random)
{
    if (failures == 0)
        return 0;
    int64_t delay = BACKOFF_MAX_US;
    if (failures - 1 < 6 && (int64_t)BACKOFF_MIN_US << (failures - 1) < delay)
        delay = (int64_t)BACKOFF_MIN_US << (failures - 1);
    return delay - (int64_t)(random % (uint64_t)(delay / 2));
}
