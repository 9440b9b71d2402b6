/*
 * Users: addresses that are unique in any case of letters, passwords that meet the policy, what
 * only administrators or the routes of two-factor authentication may set; and sessions that end
 * with what they were opened with.
 */
#include "access/grants/actor.h"
#include "base/text/email.h"
#include "base/text/regex.h"
#include "content/filter/filter_eval.h"
#include "content/system/system_rules.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

static Err refuse_member(struct ctx *ctx, const char *member)
{
    return fail(ctx, ERR_INVALID_PAYLOAD, "You can't change the \"%s\" value manually", member);
}

static Err check_members(struct ctx *ctx, const struct rules_write *write)
{
    if (write->action != ITEMS_UPDATE)
        return OK;
    assert(ctx->actor != NULL);
    if (rule_is_given(write, "tfa_secret"))
        return refuse_member(ctx, "tfa_secret");
    if (ctx->actor->is_admin)
        return OK;
    if (rule_is_given(write, "provider"))
        return refuse_member(ctx, "provider");
    return rule_is_given(write, "external_identifier") ? refuse_member(ctx, "external_identifier")
                                                       : OK;
}

static Err not_unique(struct ctx *ctx, Str email)
{
    Str value = str_printf(ctx->arena, "[%.*s]", STR_FMT(email));
    Err err = fail(ctx, ERR_NOT_UNIQUE,
                   "Value \"%.*s\" for field \"email\" in collection \"directus_users\" has to be "
                   "unique.",
                   STR_FMT(value));
    fail_note(ctx, "collection", STR("directus_users"));
    fail_note(ctx, "field", STR("email"));
    fail_note(ctx, "value", value);
    return err;
}

static fiber_fn Err check_email(struct ctx *ctx, const struct rules_write *write)
{
    assert(write->tx != NULL && json_kind(write->body) == JSON_OBJECT);
    const struct json *given = json_get(write->body, STR("email"));
    if (given == NULL)
        return OK;
    if (json_kind(given) != JSON_STRING || !email_is_valid(json_str(given)))
        return rule_fail_field(ctx, "email", "email", "Value has to be a valid email address.");
    Str email = str_lower(ctx->arena, json_str(given));
    struct rows rows;
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_LOCK_EMAIL, ARGS(db_text(email)), NULL));
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_EMAIL_IS_TAKEN,
                    ARGS(db_text(email), db_text_array(ctx->arena, write->keys, write->count)),
                    &rows));
    return row_bool(&rows, 0, SYSTEM_EMAIL_IS_TAKEN_IS_TAKEN) ? not_unique(ctx, email) : OK;
}

/* The policy is a regular expression between slashes. One that does not compile refuses all. */
static fiber_fn Err check_password(struct ctx *ctx, const struct rules_write *write)
{
    assert(write->tx != NULL && json_kind(write->body) == JSON_OBJECT);
    const struct json *given = json_get(write->body, STR("password"));
    if (given == NULL || json_is_null(given))
        return OK;
    struct rows rows;
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_PASSWORD_POLICY, NO_ARGS, &rows));
    Str policy = rows.count == 0 ? STR_NONE : row_text(&rows, 0, SYSTEM_PASSWORD_POLICY_POLICY);
    if (policy.len == 0)
        return OK;
    unsigned flags;
    const struct regex *regex;
    Str pattern = rule_pattern(policy, &flags);
    Str password = json_kind(given) == JSON_STRING ? json_str(given) : json_text(ctx->arena, given);
    TRY(regex_find(ctx, pattern, flags, &regex));
    if (regex_match(regex, password, NULL))
        return OK;
    Err err = rule_fail_field(ctx, "password", "regex", "Value doesn't have the correct format.");
    fail_note(ctx, "invalid", password);
    return err;
}

static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    *ret = write->body;
    /* In a site no account is written at all: items refuses it without saying why. */
    if (ctx->scope.kind == SCOPE_SITE || json_kind(write->body) != JSON_OBJECT)
        return OK;
    TRY(check_members(ctx, write));
    TRY(check_email(ctx, write));
    return check_password(ctx, write);
}

/* What a provider said of the account is void when the account belongs to another one. */
static fiber_fn Err forget_auth_data(struct ctx *ctx, const struct rules_write *write)
{
    assert(write->tx != NULL && write->action == ITEMS_UPDATE);
    bool is_moved = rule_is_given(write, "provider") || rule_is_given(write, "external_identifier");
    if (!is_moved || rule_is_given(write, "auth_data"))
        return OK;
    return db_tx_query(write->tx, &SQL_SYSTEM_FORGET_AUTH_DATA,
                       ARGS(db_text_array(ctx->arena, write->keys, write->count)), NULL);
}

/* Whoever may no longer log in like this is logged out; the session that changes its own login
 * stays. */
static fiber_fn Err end_sessions(struct ctx *ctx, const struct rules_write *write)
{
    assert(ctx->scope.kind != SCOPE_SITE && write->action == ITEMS_UPDATE);
    const struct json *status = json_get(write->body, STR("status"));
    bool is_ended = status != NULL &&
                    !(json_kind(status) == JSON_STRING && str_eq(json_str(status), STR("active")));
    if (!is_ended && !rule_is_given(write, "password") && !rule_is_given(write, "email"))
        return OK;
    Str kept = is_ended ? STR_NONE : ctx->actor->session;
    return db_tx_query(write->tx, &SQL_SYSTEM_END_SESSIONS,
                       ARGS(db_text_array(ctx->arena, write->keys, write->count), db_text_z(kept)),
                       NULL);
}

/* In a site none of these columns can be written. */
static fiber_fn Err complete(struct ctx *ctx, const struct rules_write *write)
{
    if (write->action != ITEMS_UPDATE || ctx->scope.kind == SCOPE_SITE)
        return OK;
    TRY(forget_auth_data(ctx, write));
    return end_sessions(ctx, write);
}

const struct collection_rules USERS_RULES = {
    .collection = STR_INIT("directus_users"),
    .before = before,
    .complete = complete,
};
