#include "access/identity/session.h"

#include "access/audit/audit.h"
#include "access/identity/jwt.h"
#include "access/identity/login_known.h"
#include "access/identity/login_limit.h"
#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { REFRESH_TOKEN_LEN = 64, AUDIT_EMAIL_MAX = 4096 };
/* Every login takes this long, regardless of its outcome: timing does not reveal whether an account
 * exists. */
enum { LOGIN_STALL_US = 500 * 1000 };

/* A check needs 64 MiB and a thread. So many run at once per thread of the server; LOGIN_QUEUE more
 * wait. Without the limit, a flood of logins would also delay other offloaded work. */
enum { CHECKS_AT_ONCE = 2 };
struct checks {
    struct gate gate;
    uint32_t waiting;
};

static void checks_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct checks *checks = object;
    gate_init(&checks->gate, CHECKS_AT_ONCE);
}

static struct reactor_slot slot = {.size = sizeof(struct checks), .init = checks_init};

/* A dummy hash, checked if there is no such user, so that both paths take the same time. */
static const char NOBODY_HASH[] = "$argon2id$v=19$m=65536,t=3,p=4$c3BhcmsgbG9naW4gc3RhbGw$"
                                  "1f1rHqH8zq0lq2yq2mSg0yq7o8w5b2Gm0q8oK3QbC6E";

struct password_check {
    Str hash;
    Str password;
    bool is_right;
};

static void check_run(void *arg)
{
    struct password_check *check = arg;
    assert(check->hash.len > 0);
    check->is_right = password_verify(check->hash, check->password);
}

static fiber_fn Err checks_enter(struct ctx *ctx, struct checks *checks, bool is_known)
{
    int64_t places = ctx->reactor->settings->login_queue;
    /* A quarter of the queue is reserved for known addresses, so that a flood from unknown ones
     * does not block them. */
    if (checks->waiting >= (is_known ? places : places - places / 4))
        return fail(ctx, ERR_UNAVAILABLE, "Too many logins at once.");
    checks->waiting++;
    Err err = gate_enter(ctx, &checks->gate);
    assert(checks->waiting > 0);
    checks->waiting--;
    return err;
}

static fiber_fn Err password_check(struct ctx *ctx, Str hash, Str password, bool is_known,
                                   bool *ret_is_right)
{
    struct password_check check = {hash, password, false};
    if (hash.len == 0)
        check.hash = str_from_z(NOBODY_HASH);
    SCOPED_GATE struct gate *entered = NULL;
    struct checks *checks = reactor_slot(ctx->reactor, &slot);
    TRY(checks_enter(ctx, checks, is_known));
    entered = &checks->gate;
    TRY(offload_run(ctx, ctx->reactor->offload, check_run, &check));
    *ret_is_right = check.is_right && hash.len > 0;
    return OK;
}

static int64_t refresh_expiry(const struct ctx *ctx)
{
    return clock_wall_us() + ctx->reactor->settings->refresh_token_ttl_s * SECOND_US;
}

static Err tokens_make(struct ctx *ctx, const struct claims *claims, Str refresh_token,
                       struct session_tokens *ret)
{
    assert(refresh_token.len == REFRESH_TOKEN_LEN);
    const struct settings *settings = ctx->reactor->settings;
    TRY(jwt_sign(ctx, claims, settings->secret, settings->access_token_ttl_s, &ret->access_token));
    ret->refresh_token = refresh_token;
    ret->expires_ms = settings->access_token_ttl_s * 1000;
    return OK;
}

/* Inserts the session, the activity, the last access and the audit entry. `site`: nil for users of
 * the platform. */
static fiber_fn Err session_open(struct ctx *ctx, Uuid user, Uuid site, Str token,
                                 const struct credentials *client)
{
    assert(token.len == REFRESH_TOKEN_LEN);
    struct db_batch batch = {.lane = DB_WRITE};
    DbArg ip = db_text_or_null(client->ip);
    DbArg agent = db_text_or_null(client->user_agent);
    DbArg origin = db_text_or_null(client->origin);
    db_batch_add(
        &batch, &SQL_SESSION_OPEN,
        ARGS(db_text(token), db_uuid(user), db_time(refresh_expiry(ctx)), ip, agent, origin), NULL);
    db_batch_add(&batch, &SQL_SESSION_TOUCH_USER, ARGS(db_uuid(user)), NULL);
    db_batch_add(&batch, &SQL_SESSION_LOG,
                 ARGS(db_text(STR("login")), db_uuid(user), ip, agent, origin,
                      db_text(uuid_text(ctx->arena, user))),
                 NULL);
    db_batch_add(&batch, &SQL_SESSION_SWEEP, NO_ARGS, NULL);
    audit_add(ctx, &batch,
              &(struct audit){.action = STR("login"),
                              .entity_type = STR("directus_users"),
                              .entity_id = uuid_text(ctx->arena, user),
                              .level = "success",
                              .site = site,
                              .user = user,
                              .ip = client->ip,
                              .actor = "user"});
    return db_batch_run_platform(reactor_platform(ctx), &batch);
}

static fiber_fn Err login(struct ctx *ctx, Str email, Str password, bool is_known_address,
                          const struct credentials *client, struct session_tokens *ret)
{
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SESSION_USER_BY_EMAIL, ARGS(db_text(email)),
                          &rows));
    bool is_known = rows.count == 1 &&
                    str_eq(row_text(&rows, 0, SESSION_USER_BY_EMAIL_STATUS), STR("active")) &&
                    str_eq(row_text(&rows, 0, SESSION_USER_BY_EMAIL_PROVIDER), STR("default"));
    Str hash = is_known ? row_text(&rows, 0, SESSION_USER_BY_EMAIL_PASSWORD) : STR_NONE;
    bool is_right;
    TRY(password_check(ctx, hash, password, is_known_address, &is_right));
    if (!is_right)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    assert(is_known && rows.count == 1); /* a correct password implies a user */

    struct claims claims = {
        .user = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_ID),
        .role = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_ROLE),
        .admin_access = row_bool(&rows, 0, SESSION_USER_BY_EMAIL_IS_ADMIN),
        .app_access = row_bool(&rows, 0, SESSION_USER_BY_EMAIL_HAS_APP_ACCESS),
    };
    Str token = random_token(ctx->arena, REFRESH_TOKEN_LEN);
    Uuid site = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_SITE_ID);
    TRY(session_open(ctx, claims.user, site, token, client));
    return tokens_make(ctx, &claims, token, ret);
}

/* login_limit bounds the number of these entries. They record the e-mail and the address, but
 * not whether such a user exists. A failure to write the log is counted, and the answer is
 * unchanged. */
static fiber_fn void note_failure(struct ctx *ctx, Str email, const struct credentials *client)
{
    struct buf *details = buf_in_arena(ctx->arena, AUDIT_EMAIL_MAX);
    struct json_writer w = json_writer(details);
    json_object_begin(&w);
    json_field_str(&w, "email", email);
    json_object_end(&w);
    struct audit audit = {.action = STR("login_failed"),
                          .entity_type = STR("directus_users"),
                          .details = details->is_full ? STR_NONE : buf_str(details),
                          .level = "warning",
                          .status = "refused",
                          .ip = client->ip,
                          .actor = "public"};
    struct diag answer = ctx->diag;
    if (audit_note(reactor_platform(ctx), &audit) != OK)
        counter_inc(audit_failures);
    ctx->diag = answer;
}

static struct login_limits limits_of(const struct settings *settings)
{
    return (struct login_limits){
        .window_s = settings->login_window_s,
        .failures = settings->login_failures,
        .failures_address = settings->login_failures_address,
        .failures_account = settings->login_failures_account,
    };
}

fiber_fn Err session_login(struct ctx *ctx, Str email, Str password,
                           const struct credentials *client, struct session_tokens *ret)
{
    int64_t started_us = clock_now_us();
    bool is_known = login_known_find(ctx, email, client->ip);
    struct login_limits limits = limits_of(ctx->reactor->settings);
    struct login_try try;
    TRY(login_limit_take(ctx, &limits, email, client->ip, is_known, clock_now_us(), &try));
    Err err = login(ctx, email, password, is_known, client, ret);
    if (err != ERR_INVALID_CREDENTIALS)
        login_limit_give_back(&try, clock_now_us());
    if (err == OK) {
        counter_inc(logins);
        login_known_add(ctx, email, client->ip);
    } else {
        counter_inc(login_failures);
    }
    if (err == ERR_INVALID_CREDENTIALS)
        note_failure(ctx, email, client);
    int64_t left_us = LOGIN_STALL_US - (clock_now_us() - started_us);
    if (left_us > 0)
        TRY(fiber_sleep(ctx, left_us));
    return err;
}

fiber_fn Err session_refresh(struct ctx *ctx, Str refresh_token, const struct credentials *client,
                             struct session_tokens *ret)
{
    Str next = random_token(ctx->arena, REFRESH_TOKEN_LEN);
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SESSION_ROTATE,
                          ARGS(db_text(refresh_token), db_text(next), db_time(refresh_expiry(ctx)),
                               db_text_or_null(client->ip), db_text_or_null(client->user_agent),
                               db_text_or_null(client->origin)),
                          &rows));
    if (rows.count == 0 || !str_eq(row_text(&rows, 0, SESSION_ROTATE_STATUS), STR("active")))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    struct claims claims = {
        .user = row_uuid(&rows, 0, SESSION_ROTATE_ID),
        .role = row_uuid(&rows, 0, SESSION_ROTATE_ROLE),
        .admin_access = row_bool(&rows, 0, SESSION_ROTATE_IS_ADMIN),
        .app_access = row_bool(&rows, 0, SESSION_ROTATE_HAS_APP_ACCESS),
    };
    return tokens_make(ctx, &claims, next, ret);
}

fiber_fn Err session_logout(struct ctx *ctx, Str refresh_token, Str ip)
{
    return db_query_platform(reactor_platform(ctx), &SQL_SESSION_CLOSE,
                             ARGS(db_text(refresh_token), db_text_or_null(ip)), NULL);
}
