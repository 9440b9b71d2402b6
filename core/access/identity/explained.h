/*
 * Subjects of an explanation: what authentication would make of a user, a site token or a visitor,
 * with the policies that it left out. For administrators of the platform; nothing is cached that a
 * request of the subject would not cache.
 */
#pragma once

#include "access/grants/actor.h"
#include "io/fiber/fiber.h"

struct policy_facts {
    Uuid id;
    Str name;
    Str ip_access; /* comma-separated; empty: any address */
    bool is_admin;
    bool has_app_access;
    bool enforces_tfa;
    bool is_in_force; /* false: the address is not one of ip_access */
};

enum subject_kind { SUBJECT_PUBLIC, SUBJECT_USER, SUBJECT_SITE_TOKEN };

struct subject_spec {
    enum subject_kind kind;
    Uuid id;   /* of the user or the token */
    Uuid site; /* public: the site of the hostname; an unbound user: the selected site; nil: none */
    Str ip;
};

struct subject {
    const struct actor *actor; /* NULL: refused */
    Scope scope;
    Err refusal; /* what authentication answers instead, or OK */
    const struct policy_facts *policies;
    uint32_t policy_count;
};

/* ERR_NOT_FOUND: no such user or token. */
fiber_fn Err subject_load(struct ctx *ctx, const struct subject_spec *spec, struct subject *ret);

/* Private to access/. All policies that are attached; a nil `user`: those of the public. */
fiber_fn Err policies_explain(struct ctx *ctx, Uuid user, Uuid role, Str ip,
                              const struct policy_facts **ret, uint32_t *ret_count);

/* What another user may do, for work that depends on it: whether a user who is mentioned may read
 * the item. NULL: no active user has this id, or the user's site is closed. Policies for certain
 * addresses do not count. */
fiber_fn Err other_user_find(struct ctx *ctx, Uuid user, const struct actor **ret);
