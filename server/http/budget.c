#include "server/http/budget.h"

#include "base/system/counters.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

/* One owner may use three quarters of a budget: the rest is reserved for others. */
enum { SHARE_OF_4 = 3 };

static void gauge(enum budget budget, int64_t change)
{
    counter_add(budget == BUDGET_BODIES ? COUNTER_http_body_bytes : COUNTER_http_answer_bytes,
                change);
}

void budgets_init(struct budgets *budgets, const struct settings *settings)
{
    uint64_t threads = (uint64_t)settings->server_threads;
    map_init(&budgets->accounts);
    budgets->max[BUDGET_BODIES] = (uint64_t)settings->body_memory_bytes / threads;
    budgets->max[BUDGET_ANSWERS] = (uint64_t)settings->answer_memory_bytes / threads;
}

void budgets_finish(struct budgets *budgets)
{
    assert(budgets->accounts.count == 0);
    map_finish(&budgets->accounts);
}

uint64_t budget_share(const struct budgets *budgets, enum budget budget)
{
    return budgets->max[budget] / 4 * SHARE_OF_4;
}

static struct account *account_open(struct budgets *budgets, char kind, const void *key, size_t len)
{
    assert(len < OWNER_KEY_MAX);
    struct account fresh = {.key_len = (uint32_t)len + 1, .key = {kind}};
    memcpy(fresh.key + 1, key, len);
    struct account *account = map_get(&budgets->accounts, str_of(fresh.key, fresh.key_len));
    if (account == NULL) {
        account = malloc(sizeof *account);
        if (account == NULL)
            abort();
        *account = fresh;
        map_put(&budgets->accounts, str_of(account->key, account->key_len), account);
    }
    account->references++;
    return account;
}

static struct account *account_of_v6(struct budgets *budgets, const struct in6_addr *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(address, mapped, sizeof mapped) == 0)
        return account_open(budgets, '4', (const char *)address + sizeof mapped, 4);
    return account_open(budgets, '6', address, 8);
}

struct account *account_of_peer(struct budgets *budgets, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return account_open(budgets, '4',
                            &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    if (address->sa_family == AF_INET6)
        return account_of_v6(budgets,
                             &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return NULL;
}

struct account *account_of_ip(struct budgets *budgets, Str ip)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (ip.len == 0 || ip.len >= sizeof text)
        return NULL;
    memcpy(text, ip.data, ip.len);
    text[ip.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return account_open(budgets, '4', &v4, 4);
    return inet_pton(AF_INET6, text, &v6) == 1 ? account_of_v6(budgets, &v6) : NULL;
}

struct account *account_of_site(struct budgets *budgets, Uuid site)
{
    return account_open(budgets, 's', site.bytes, sizeof site.bytes);
}

void account_close(struct budgets *budgets, struct account *account)
{
    if (account == NULL)
        return;
    assert(account->references > 0);
    if (--account->references > 0)
        return;
    assert(account->connections == 0 && account->heads == 0);
    map_remove(&budgets->accounts, str_of(account->key, account->key_len));
    free(account);
}

void holding_add_owner(struct budgets *budgets, struct holding *holding, struct account *account)
{
    for (int i = 0; i < OWNERS_MAX; i++) {
        if (account == NULL || holding->owners[i] == account)
            break;
        if (holding->owners[i] != NULL)
            continue;
        account->used[holding->budget] += holding->bytes;
        holding->owners[i] = account;
        return;
    }
    account_close(budgets, account);
}

bool holding_grow(struct budgets *budgets, struct holding *holding, uint64_t bytes)
{
    enum budget budget = holding->budget;
    if (budgets->used[budget] + bytes > budgets->max[budget])
        return false;
    for (int i = 0; i < OWNERS_MAX; i++)
        if (holding->owners[i] != NULL &&
            holding->owners[i]->used[budget] + bytes > budget_share(budgets, budget))
            return false;
    holding_take(budgets, holding, bytes);
    return true;
}

void holding_take(struct budgets *budgets, struct holding *holding, uint64_t bytes)
{
    for (int i = 0; i < OWNERS_MAX; i++)
        if (holding->owners[i] != NULL)
            holding->owners[i]->used[holding->budget] += bytes;
    budgets->used[holding->budget] += bytes;
    holding->bytes += bytes;
    gauge(holding->budget, (int64_t)bytes);
}

void holding_shrink(struct budgets *budgets, struct holding *holding, uint64_t bytes)
{
    assert(bytes <= holding->bytes && holding->bytes <= budgets->used[holding->budget]);
    for (int i = 0; i < OWNERS_MAX; i++)
        if (holding->owners[i] != NULL)
            holding->owners[i]->used[holding->budget] -= bytes;
    budgets->used[holding->budget] -= bytes;
    holding->bytes -= bytes;
    if (bytes > 0)
        gauge(holding->budget, -(int64_t)bytes);
}

void holding_end(struct budgets *budgets, struct holding *holding)
{
    holding_shrink(budgets, holding, holding->bytes);
    for (int i = 0; i < OWNERS_MAX; i++)
        account_close(budgets, holding->owners[i]);
    *holding = (struct holding){.budget = holding->budget};
}
