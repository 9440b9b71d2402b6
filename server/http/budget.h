/*
 * Budgets: what the connections of one event loop may hold in memory, in bodies that come in and in
 * answers that wait to be read, all together and for one owner. An owner is an address or a site.
 *
 * Counted, not reserved: whoever grows asks first. Accounts live as long as somebody counts on
 * them. Nothing here waits.
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
    uint32_t heads; /* connections whose next head is not complete */
    uint32_t key_len;
    char key[OWNER_KEY_MAX];
};

struct budgets {
    struct map accounts;
    uint64_t max[BUDGET_COUNT];
    uint64_t used[BUDGET_COUNT];
};

/* Each of `threads` event loops has its part of the process's budgets. */
void budgets_init(struct budgets *budgets, const struct settings *settings);
void budgets_finish(struct budgets *budgets);
/* The most that one owner may have, and so the largest body or answer there can be. */
uint64_t budget_share(const struct budgets *budgets, enum budget budget);

/* NULL for what is not an IP address. IPv6 counts by its first 64 bits: whoever has one address
 * has them all. */
struct account *account_of_peer(struct budgets *budgets, const struct sockaddr *address);
struct account *account_of_ip(struct budgets *budgets, Str ip);
struct account *account_of_site(struct budgets *budgets, Uuid site);
void account_close(struct budgets *budgets, struct account *account); /* NULL is fine */

/* What one body or one answer holds, of whom. Zeroed: nothing. */
struct holding {
    enum budget budget;
    struct account *owners[OWNERS_MAX];
    uint64_t bytes;
};

/* Takes over a reference to the account; NULL is fine. What is held already counts for it too. */
void holding_add_owner(struct budgets *budgets, struct holding *holding, struct account *account);
/* False when that would pass the budget or the share of an owner: then nothing changes. */
bool holding_grow(struct budgets *budgets, struct holding *holding, uint64_t bytes);
/* The same, whatever there is: the others have less then. */
void holding_take(struct budgets *budgets, struct holding *holding, uint64_t bytes);
void holding_shrink(struct budgets *budgets, struct holding *holding, uint64_t bytes);
void holding_end(struct budgets *budgets, struct holding *holding);
