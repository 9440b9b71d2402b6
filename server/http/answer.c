/*
 * The memory of answers. A small one is in the request's arena; a large one is malloc'ed, is
 * charged to its site and address until its last byte is in the kernel, and does not grow beyond
 * the budget: otherwise the request is answered 503. One in between is charged only while its
 * client does not read it.
 */
#include "base/system/counters.h"
#include "base/system/range.h"
#include "server/http/exchange.h"

#include <assert.h>

void exchange_add_owners(struct exchange *exchange, struct holding *holding)
{
    struct budgets *budgets = &exchange->server->budgets;
    const Scope *scope = &exchange->ctx->scope;
    if (!exchange->is_of_proxy)
        holding_add_owner(budgets, holding, account_of_ip(budgets, exchange->request.ip));
    if (scope->kind == SCOPE_SITE)
        holding_add_owner(budgets, holding, account_of_site(budgets, scope->site));
}

static bool may_grow(struct buf_gate *gate, size_t to)
{
    struct exchange *exchange = H2O_STRUCT_FROM_MEMBER(struct exchange, answer_gate, gate);
    struct holding *holding = &exchange->answer_holding;
    if (to <= ANSWER_SMALL_MAX)
        return true;
    if (holding->bytes == 0)
        exchange_add_owners(exchange, holding);
    assert(to > holding->bytes);
    uint64_t more = to - holding->bytes;
    if (holding_grow(&exchange->server->budgets, holding, more) ||
        conn_make_room(exchange->server, holding, more))
        return true;
    /* A committed write must be reported: a 503 would make the client repeat it. */
    if (exchange->ctx->has_committed) {
        holding_take(&exchange->server->budgets, holding, more);
        return true;
    }
    counter_inc(http_answers_refused);
    return false;
}

bool exchange_count_answer(struct exchange *exchange)
{
    struct budgets *budgets = &exchange->server->budgets;
    struct holding *holding = &exchange->answer_holding;
    const struct buf *answer = &exchange->answer;
    uint64_t bytes = answer->is_borrowed ? 0 : answer->cap - exchange->given_back;
    if (bytes <= holding->bytes)
        return true;
    exchange_add_owners(exchange, holding);
    uint64_t more = bytes - holding->bytes;
    return holding_grow(budgets, holding, more) || conn_make_room(exchange->server, holding, more);
}

static void drop(struct exchange *exchange)
{
    buf_finish(&exchange->answer);
    holding_end(&exchange->server->budgets, &exchange->answer_holding);
}

void exchange_begin_answer(struct exchange *exchange)
{
    drop(exchange);
    uint64_t share = budget_share(&exchange->server->budgets, BUDGET_ANSWERS);
    size_t max = min_size(share, REPLY_MAX);
    buf_init_from(&exchange->answer, exchange->answer_first, REPLY_FIRST, max);
    exchange->answer_gate.may_grow = may_grow;
    exchange->answer.gate = &exchange->answer_gate;
    exchange->answer_holding.budget = BUDGET_ANSWERS;
}

void exchange_drop_memory(struct exchange *exchange)
{
    drop(exchange);
    exchange_drop_body(exchange);
}
