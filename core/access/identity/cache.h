/*
 * The access cache of one thread, under one epoch: tokens, hosts, compiled grants. Entries of a
 * site also carry that site's stamp, and are valid only while it is the last one seen. When the
 * epoch changes, or PostgreSQL was lost, the whole cache is replaced; requests in flight hold a
 * reference to the old one, because their grants point into it. Private to access/.
 */
#pragma once

#include "access/grants/actor.h"
#include "base/memory/map.h"
#include "io/fiber/fiber.h"

enum {
    CACHE_TOKENS_MAX = 16384,
    CACHE_HOSTS_MAX = 16384,
    CACHE_SITES_MAX = 16384,
    REVALIDATED_SITES_MAX = 256, /* stamps that one revalidation reads */
};

/* The identity that a token proves, independent of a request. */
struct identity {
    enum actor_kind kind;
    Uuid user;
    Uuid role;
    Uuid share; /* ACTOR_SHARE only */
    bool is_admin;
    bool has_app_access;
    bool enforces_tfa;
    bool may_write;
    bool has_session; /* a token of a session, which each request looks up */
    Scope scope;
    int64_t site_epoch;                /* stamp of scope.site at loading time */
    const struct policy_set *policies; /* NULL: none */
    const struct grants *grants;
    int64_t expires_wall_us; /* 0: never */
};

/* A site and its last known stamp. */
struct known_site {
    Uuid id;
    int64_t epoch;          /* 0: unknown */
    int64_t revalidated_us; /* when the statement that read the stamp was sent */
    bool is_wanted;         /* include it in the next revalidation */
};

struct access_cache {
    struct arena *arena;
    uint32_t references;
    int64_t epoch;
    uint64_t losses;           /* db_losses at creation */
    int64_t server_started_us; /* wall clock */
    bool has_sites;            /* false: no host and no token can belong to a site */
    int64_t revalidated_us;    /* when the last revalidation that found this epoch was sent */
    struct map *tokens;        /* sha256 of the token → struct identity */
    struct map *hosts;         /* normalised host → struct host_entry */
    struct map *policies;      /* ids of the policies, concatenated → struct policy_set */
    struct map *sites;         /* id → struct known_site */
    struct known_site *wanted[REVALIDATED_SITES_MAX];
    uint32_t wanted_count;
};

/* The site of a host. The nil site means no site; such entries are cached under the stamp of the
 * nil site. */
struct host_entry {
    Uuid site;
    int64_t site_epoch;
};

/* The access state of one thread. */
struct access_thread {
    struct access_cache *cache;    /* NULL: not loaded yet */
    struct gate revalidation_gate; /* one revalidation at a time */
    struct gate pause_gate;        /* one pause at a time */
    struct access_pause *pause;    /* NULL: no request pauses changes */
    int64_t revalidation_sent_us;
};
struct access_thread *access_thread(struct reactor *reactor);

/* The cache of the current epoch, pinned to ctx until its arena ends; sets ctx->epoch. Queries the
 * database when the last revalidation is older than a second. */
fiber_fn Err access_cache_current(struct ctx *ctx, struct access_cache **ret);
/* Replaces the thread's cache with an empty one; the caller fills in has_sites. */
struct access_cache *access_cache_renew(struct access_thread *thread, int64_t epoch);
bool access_cache_is_full(const struct access_cache *cache);

/* The cached site; added if it is new. */
struct known_site *cache_site(struct access_cache *cache, Uuid id);
/* Records a stamp that a statement sent at `sent_us` has read. */
void cache_note_site(struct access_cache *cache, Uuid id, int64_t epoch, int64_t sent_us);

/* A copy of bytes that lives as long as the cache. */
Str cache_dup(struct access_cache *cache, const void *bytes, size_t len);
