#include "base/memory/list.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "io/fiber/offload.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; larger results are freed in the background. */
enum { CLEAR_APART_FROM = 1024 * 1024 };

static const char *refuse(const struct db_request *request);
static fiber_fn Err request_wait(struct ctx *ctx, struct db_request *request);
static bool has_met_stamps(const struct ctx *ctx, const struct db_request *request);
static Err request_left(struct ctx *ctx, struct db_request *request, Err why);
static void request_abandon(struct db_request *request);
static void take_rows(struct ctx *ctx, struct db_request *request);
static void request_enqueue(struct db_request *request);
static void release_result(void *result);

struct db_request *request_new(struct lane *lane, enum request_kind kind)
{
    struct db *db = lane->db;
    struct db_request *request = db->spare;
    if (request != NULL)
        db->spare = request->next;
    else if ((request = malloc(sizeof(*request))) == NULL)
        abort();
    *request = (struct db_request){.lane = lane, .kind = kind};
    return request;
}

void request_take_stamps(struct db_request *request, const struct ctx *ctx)
{
    if (ctx->has_committed || ctx->epoch == 0)
        return;
    request->epoch = ctx->epoch;
    request->stamp = ctx->stamp;
}

bool request_has_scope_of(const struct db_request *a, const struct db_request *b)
{
    return a->scope.kind == b->scope.kind &&
           (a->scope.kind != SCOPE_SITE || uuid_eq(a->scope.site, b->scope.site));
}

bool request_is_like(const struct db_request *a, const struct db_request *b)
{
    return request_has_scope_of(a, b) && a->stamp.epoch == b->stamp.epoch &&
           (a->stamp.epoch == 0 || uuid_eq(a->stamp.site, b->stamp.site));
}

void request_free(struct db_request *request)
{
    assert(request->received <= request->count);
    struct db *db = request->lane->db;
    read_forget(request);
    if (request->flow != NULL)
        flow_release(&db->flows, request->flow);
    PQclear(request->error);
    for (uint32_t i = 0; i < request->received; i++)
        PQclear(request->results[i]);
    request->next = db->spare;
    db->spare = request;
}

/* Waits, and counts the statements and the time in ctx->tally. */
static fiber_fn Err request_tally(struct ctx *ctx, struct db_request *request)
{
    struct db_tally *tally = ctx->tally;
    if (tally == NULL)
        return request_wait(ctx, request);
    int64_t start_us = clock_now_us();
    tally->statements += request->count;
    Err err = request_wait(ctx, request);
    tally->us += clock_now_us() - start_us;
    return err;
}

fiber_fn Err request_run(struct ctx *ctx, struct db_request *request)
{
    struct lane *lane = request->lane;
    assert(!lane->db->is_closing);
    const char *refusal = refuse(request);
    if (refusal != NULL) {
        request_free(request);
        counter_inc(db_refused);
        return fail(ctx, ERR_UNAVAILABLE, "%s", refusal);
    }
    if (request->connection == NULL && lane_is_given_up(lane)) {
        request_free(request);
        return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable");
    }
    Err err = fiber_check(ctx);
    if (err != OK) {
        request_free(request);
        return err;
    }
    return request_tally(ctx, request);
}

/* A full lane still accepts flows with few requests; the excess over the limit is bounded by the
 * number of requests. */
static const char *refuse(const struct db_request *request)
{
    const struct lane *lane = request->lane;
    if (request_is_owned(request))
        return NULL;
    const struct request_list *own = &request->flow->queues[lane->kind].requests;
    uint32_t statements = own->statements + request->count;
    if (statements > FLOW_QUEUE_MAX)
        return "too many statements of this site wait for PostgreSQL";
    if (lane->statements + request->count > DB_QUEUE_MAX &&
        statements > DB_QUEUE_MAX / (lane->flows + 1))
        return "too many statements wait for PostgreSQL";
    return NULL;
}

static fiber_fn Err request_wait(struct ctx *ctx, struct db_request *request)
{
    assert(request->wait == NULL);
    struct wait wait = wait_begin();
    request->wait = &wait;
    request_enqueue(request);

    Err err = fiber_wait(ctx, &wait);
    if (!wait.is_done)
        return request_left(ctx, request, err);

    assert(request->state == REQUEST_DONE);
    bool is_write = request->kind == REQUEST_WRITE || request->kind == REQUEST_SHARED;
    ctx->is_current |= has_met_stamps(ctx, request);
    if (request->ret_received != NULL)
        *request->ret_received = request->received;
    if (request->outcome == OUTCOME_OK) {
        take_rows(ctx, request);
        if (request->ret_connection != NULL)
            *request->ret_connection = request->connection;
        ctx->has_committed = ctx->has_committed || is_write;
    } else {
        err = db_error_report(ctx, request);
    }
    request_free(request);
    return err;
}

/* Whether the answer, even an error, was given under the stamps of ctx. */
static bool has_met_stamps(const struct ctx *ctx, const struct db_request *request)
{
    bool is_answered = request->outcome == OUTCOME_OK || request->outcome == OUTCOME_ERROR;
    return is_answered && request->epoch != 0 && request->epoch == ctx->epoch &&
           memcmp(request->sqlstate, "SPE", 3) != 0 && request->stamp.epoch == ctx->stamp.epoch;
}

/* The deadline or a cancellation came before the answer. */
static Err request_left(struct ctx *ctx, struct db_request *request, Err why)
{
    assert(request->wait != NULL);
    bool is_unsent = request->state == REQUEST_QUEUED;
    bool is_unreachable = is_unsent && !lane_is_up(request->lane);
    bool is_read = request->kind == REQUEST_READ || request->kind == REQUEST_SLOW;
    request_abandon(request);
    if (why == ERR_TIMEOUT && is_unreachable)
        return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable");
    if (!is_unsent && !is_read)
        fail_note(ctx, "_outcome", STR("unknown"));
    return why;
}

static void request_abandon(struct db_request *request)
{
    assert(request->state != REQUEST_DONE);
    request->wait = NULL;
    if (request->state == REQUEST_QUEUED) {
        queue_take(request);
        request_free(request);
        return;
    }
    /* The statement would block the pipeline behind it, or one of the few connections, so
     * PostgreSQL is asked to cancel it. Until it ends, the connection counts in its flow's share: a
     * dropped session keeps running for up to a second, so a client that repeatedly leaves could
     * otherwise occupy hundreds of sessions. */
    if (request->kind == REQUEST_READ || request->kind == REQUEST_SLOW)
        stall_watch_soon(request->lane->db);
    /* COPY reads from the fiber's memory, so the connection is dropped. */
    else if (request->kind == REQUEST_COPY)
        connection_drop(request->connection, "a COPY was abandoned");
}

static void take_rows(struct ctx *ctx, struct db_request *request)
{
    assert(request->outcome == OUTCOME_OK && request->received <= request->count);
    for (uint32_t i = 0; i < request->received; i++) {
        PGresult *result = request->results[i];
        struct rows *rows = request->commands[i].ret_rows;
        if (rows == NULL) {
            PQclear(result);
            continue;
        }
        arena_defer(ctx->arena, release_result, result);
        *rows = (struct rows){
            .count = (uint32_t)PQntuples(result),
            .columns = (uint32_t)PQnfields(result),
            .result = result,
        };
        str_to_i64(str_from_z(PQcmdTuples(result)), &rows->affected);
    }
    request->received = 0;
}

static void request_enqueue(struct db_request *request)
{
    assert(request->wait != NULL);
    request->queued_us = loop_now_us(request->lane->db->loop);
    queue_put(request);
    loop_hurry(request->lane->db->loop);
}

void request_finish(struct db_request *request, enum outcome outcome)
{
    assert(request->state != REQUEST_DONE);
    if (request->wait == NULL) {
        request_free(request);
        return;
    }
    request->state = REQUEST_DONE;
    request->outcome = outcome;
    wait_end(request->wait, OK);
}

void request_submit_again(struct db_request *request, uint8_t reason)
{
    assert((request->again & reason) == 0 || reason == AGAIN_LOST || reason == AGAIN_CANCELLED ||
           reason == AGAIN_OUTRAN);
    assert(request->wait != NULL);
    PQclear(request->error);
    request->error = NULL;
    request->sqlstate[0] = '\0';
    for (uint32_t i = 0; i < request->received; i++)
        PQclear(request->results[i]);
    request->received = 0;
    request->again |= reason;
    request->connection = NULL;
    queue_put_first(request);
    counter_add(COUNTER_db_resubmitted, request->count);
}

void list_append(struct request_list *list, struct db_request *request)
{
    request->previous = list->last;
    LIST_APPEND(list->first, list->last, request);
    list->requests++;
    list->statements += request->count;
}

void list_prepend(struct request_list *list, struct db_request *request)
{
    request->previous = NULL;
    request->next = list->first;
    if (list->first != NULL)
        list->first->previous = request;
    else
        list->last = request;
    list->first = request;
    list->requests++;
    list->statements += request->count;
}

void list_remove(struct request_list *list, struct db_request *request)
{
    assert(list->requests > 0 && list->statements >= request->count);
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        list->first = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    else
        list->last = request->previous;
    request->next = request->previous = NULL;
    list->requests--;
    list->statements -= request->count;
}

static void clear(void *result)
{
    PQclear(result);
}

/* Rows are allocated in blocks of 2 KB, each freed individually. */
static void release_result(void *result)
{
    if (PQresultMemorySize(result) < CLEAR_APART_FROM)
        PQclear(result);
    else
        offload_discard(clear, result);
}
