/*
 * What one thread remembers about rights, under one epoch: tokens, hosts, compiled grants. When
 * the epoch moves the whole cache is dropped; requests in flight hold a reference to the old one,
 * for their grants point into it. Private to access/.
 */
#pragma once

#include "access/actor.h"
#include "base/map.h"
#include "io/fiber.h"

enum { CACHE_TOKENS_MAX = 16384, CACHE_HOSTS_MAX = 16384, CACHE_AGE_US = 1000 * 1000 };

/* What a token proved, without the facts of one request. */
struct identity {
    enum actor_kind kind;
    Uuid user;
    Uuid role;
    bool is_admin;
    bool has_app_access;
    bool may_write;
    Scope scope;
    const struct grants *grants;
    int64_t expires_wall_us; /* 0: never */
};

struct access_cache {
    struct arena *arena;
    uint32_t references;
    int64_t epoch;
    bool has_sites;     /* false: no host and no token can belong to one */
    int64_t checked_us; /* when the database last said that this epoch is current */
    struct map *tokens; /* sha256 of the token → struct identity */
    struct map *hosts;  /* normalised host → struct host_entry */
    struct map *grants; /* ids of the policies, concatenated → struct grants */
};

struct host_entry {
    Uuid site;
    int64_t expires_us; /* a host without a site is asked for again */
};

/* The cache of the current epoch, pinned to ctx until its arena ends; sets ctx->epoch. Asks the
 * database when the last look is older than a second. */
fiber_fn Err access_cache_current(struct ctx *ctx, struct access_cache **ret);

/* A copy of bytes that lives as long as the cache. */
Str cache_dup(struct access_cache *cache, const void *bytes, size_t len);
