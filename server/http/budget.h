/*
 * Budgets: limits for the memory of an event loop's connections, for incoming bodies and for
 * answers that wait to be read; in total and per owner. An owner is an address or a site.
 *
 * Memory is charged, not reserved: check before growing. An account lives as long as it is
 * referenced. Nothing here waits.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/map.h"
#include "base/settings/settings.h"

#include <sys/socket.h>

enum budget { BUDGET_BODIES, BUDGET_ANSWERS, BUDGET_COUNT };
enum { OWNERS_MAX = 2, OWNER_KEY_MAX = 17 };

/* One address or one site. */
struct account {
    uint64_t used[BUDGET_COUNT];
    uint32_t connections;
    uint32_t references;
    uint32_t heads; /* connections with an incomplete head */
    uint32_t key_len;
    char key[OWNER_KEY_MAX];
};

struct budgets {
    struct map accounts;
    uint64_t max[BUDGET_COUNT];
    uint64_t used[BUDGET_COUNT];
};

/* Each of `threads` event loops gets its part of the process's budgets. */
void budgets_init(struct budgets *budgets, const struct settings *settings);
void budgets_finish(struct budgets *budgets);
/* The maximum for one owner, and so the maximum size of a body or answer. */
uint64_t budget_share(const struct budgets *budgets, enum budget budget);

/* NULL if it is not an IP address. IPv6 is counted by its first 64 bits, because one client has all
 * addresses in them. */
struct account *account_of_peer(struct budgets *budgets, const struct sockaddr *address);
struct account *account_of_ip(struct budgets *budgets, Str ip);
struct account *account_of_site(struct budgets *budgets, Uuid site);
void account_close(struct budgets *budgets, struct account *account); /* NULL is allowed */

/* The memory charged for one body or answer, and its owners. Zeroed: nothing. */
struct holding {
    enum budget budget;
    struct account *owners[OWNERS_MAX];
    uint64_t bytes;
};

/* Takes over a reference to the account; NULL is allowed. Existing memory is charged to it too. */
void holding_add_owner(struct budgets *budgets, struct holding *holding, struct account *account);
/* False when that would exceed the budget or the share of an owner: then nothing changes. */
bool holding_grow(struct budgets *budgets, struct holding *holding, uint64_t bytes);
/* The same without a limit: for memory that is already allocated. */
void holding_take(struct budgets *budgets, struct holding *holding, uint64_t bytes);
void holding_shrink(struct budgets *budgets, struct holding *holding, uint64_t bytes);
void holding_end(struct budgets *budgets, struct holding *holding);
