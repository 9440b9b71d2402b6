#include "access/audit/audit.h"
#include "access/identity/identity.h"
#include "access/identity/share.h"
#include "access/limits/login_known.h"
#include "base/crypto/crypto.h"
#include "base/crypto/otp.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { AUDIT_EMAIL_MAX = 4096 };
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

fiber_fn Err session_check_password(struct ctx *ctx, Str hash, Str password, bool is_known,
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

static int64_t ttl_of(const struct ctx *ctx, enum session_mode mode)
{
    const struct settings *settings = ctx->reactor->settings;
    return mode == SESSION_SESSION ? settings->session_cookie_ttl_s : settings->refresh_token_ttl_s;
}

int64_t session_expiry(const struct ctx *ctx, enum session_mode mode)
{
    return clock_wall_us() + ttl_of(ctx, mode) * SECOND_US;
}

Err session_make_tokens(struct ctx *ctx, struct claims claims, Str session, enum session_mode mode,
                        struct session_tokens *ret)
{
    assert(session.len == SESSION_TOKEN_LEN);
    const struct settings *settings = ctx->reactor->settings;
    bool is_session = mode == SESSION_SESSION;
    int64_t ttl_s = is_session ? settings->session_cookie_ttl_s : settings->access_token_ttl_s;
    claims.session = is_session ? session : STR_NONE;
    TRY(jwt_sign(ctx, &claims, settings->secret, ttl_s, &ret->access_token));
    ret->refresh_token = is_session ? STR_NONE : session;
    ret->expires_ms = ttl_s * 1000;
    return OK;
}

/* Inserts the session, the activity, the last access and the audit entry. `site`: nil for users of
 * the platform. */
static fiber_fn Err session_open(struct ctx *ctx, Uuid user, Uuid site, Str token,
                                 int64_t expires_us, const struct session_client *client)
{
    assert(token.len == SESSION_TOKEN_LEN);
    struct db_batch batch = {.lane = DB_WRITE};
    DbArg ip = db_text_or_null(client->ip);
    DbArg agent = db_text_or_null(client->user_agent);
    DbArg origin = db_text_or_null(client->origin);
    db_batch_add(&batch, &SQL_SESSION_OPEN,
                 ARGS(db_text(token), db_uuid(user), db_time(expires_us), ip, agent, origin), NULL);
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

static bool may_have(const struct session_client *client, Uuid site)
{
    return uuid_is_nil(client->only_site) || uuid_eq(client->only_site, site);
}

/* Users without a secret have no second factor. */
static Err otp_check(struct ctx *ctx, Str secret, Str otp)
{
    if (secret.len == 0 || otp_fits(secret, otp, clock_wall_us() / SECOND_US))
        return OK;
    return fail_plain(ctx, ERR_INVALID_OTP);
}

static fiber_fn Err log_in(struct ctx *ctx, const struct session_login *login,
                           bool is_known_address, const struct session_client *client,
                           struct session_tokens *ret)
{
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SESSION_USER_BY_EMAIL,
                          ARGS(db_text(login->email)), &rows));
    bool is_known = rows.count == 1 &&
                    str_eq(row_text(&rows, 0, SESSION_USER_BY_EMAIL_STATUS), STR("active")) &&
                    str_eq(row_text(&rows, 0, SESSION_USER_BY_EMAIL_PROVIDER), STR("default"));
    Str hash = is_known ? row_text(&rows, 0, SESSION_USER_BY_EMAIL_PASSWORD) : STR_NONE;
    bool is_right;
    TRY(session_check_password(ctx, hash, login->password, is_known_address, &is_right));
    if (!is_right)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    assert(is_known && rows.count == 1); /* a correct password implies a user */
    if (!may_have(client, row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_SITE_ID)))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    TRY(otp_check(ctx, row_text(&rows, 0, SESSION_USER_BY_EMAIL_TFA_SECRET), login->otp));

    struct claims claims = {
        .user = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_ID),
        .role = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_ROLE),
        .admin_access = row_bool(&rows, 0, SESSION_USER_BY_EMAIL_IS_ADMIN),
        .app_access = row_bool(&rows, 0, SESSION_USER_BY_EMAIL_HAS_APP_ACCESS),
    };
    Str token = random_token(ctx->arena, SESSION_TOKEN_LEN);
    Uuid site = row_uuid(&rows, 0, SESSION_USER_BY_EMAIL_SITE_ID);
    TRY(session_open(ctx, claims.user, site, token, session_expiry(ctx, login->mode), client));
    return session_make_tokens(ctx, claims, token, login->mode, ret);
}

/* login_limit bounds the number of these entries. They record the e-mail and the address, but
 * not whether such a user exists. A failure to write the log is counted, and the answer is
 * unchanged. */
static fiber_fn void note_failure(struct ctx *ctx, Str email, const struct session_client *client)
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

struct login_limits session_limits(const struct settings *settings)
{
    return (struct login_limits){
        .window_s = settings->login_window_s,
        .failures = settings->login_failures,
        .failures_address = settings->login_failures_address,
        .failures_account = settings->login_failures_account,
    };
}

/* Every login takes as long, whatever its outcome: the time does not reveal whether an account
 * exists. */
fiber_fn Err session_stall(struct ctx *ctx, int64_t started_us)
{
    int64_t stall_us = ctx->reactor->settings->login_stall_ms * MS_US;
    int64_t left_us = stall_us - (clock_now_us() - started_us);
    return left_us > 0 ? fiber_sleep(ctx, left_us) : OK;
}

/* A wrong guess of either password; a missing one-time password is none. */
static bool is_guess(Err err, const struct session_login *login)
{
    return err == ERR_INVALID_CREDENTIALS || (err == ERR_INVALID_OTP && login->otp.len > 0);
}

fiber_fn Err session_login(struct ctx *ctx, const struct session_login *login,
                           const struct session_client *client, struct session_tokens *ret)
{
    assert(login->email.len > 0 && login->password.len > 0);
    int64_t started_us = clock_now_us();
    bool is_known = login_known_find(ctx, login->email, client->ip);
    struct login_limits limits = session_limits(ctx->reactor->settings);
    struct login_try try;
    TRY(login_limit_take(ctx, &limits, login->email, client->ip, is_known, clock_now_us(), &try));
    Err err = log_in(ctx, login, is_known, client, ret);
    if (!is_guess(err, login))
        login_limit_give_back(&try, clock_now_us());
    if (err == OK) {
        counter_inc(logins);
        login_known_add(ctx, login->email, client->ip);
    } else {
        counter_inc(login_failures);
    }
    if (is_guess(err, login))
        note_failure(ctx, login->email, client);
    TRY(session_stall(ctx, started_us));
    return err;
}

/* The session in the access token of a cookie. */
static Err session_of(struct ctx *ctx, Str access_token, Str *ret)
{
    if (!jwt_is_ours(ctx, access_token))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    struct claims claims;
    TRY(jwt_verify(ctx, access_token, ctx->reactor->settings->secret, &claims));
    if (claims.session.len == 0)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = claims.session;
    return OK;
}

/* Both statements begin with the same columns. */
static Err user_of(struct ctx *ctx, const struct rows *rows, struct claims *ret)
{
    static_assert((int)SESSION_ROTATE_STATUS == (int)SESSION_RENEW_STATUS &&
                      (int)SESSION_ROTATE_HAS_APP_ACCESS == (int)SESSION_RENEW_HAS_APP_ACCESS,
                  "the columns of the two statements");
    assert(rows->count == 1);
    Str status = row_text(rows, 0, SESSION_ROTATE_STATUS);
    if (str_eq(status, STR("suspended")))
        return fail_plain(ctx, ERR_USER_SUSPENDED);
    if (!str_eq(status, STR("active")))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = (struct claims){
        .user = row_uuid(rows, 0, SESSION_ROTATE_ID),
        .role = row_uuid(rows, 0, SESSION_ROTATE_ROLE),
        .admin_access = row_bool(rows, 0, SESSION_ROTATE_IS_ADMIN),
        .app_access = row_bool(rows, 0, SESSION_ROTATE_HAS_APP_ACCESS),
    };
    return OK;
}

static fiber_fn Err rotate(struct ctx *ctx, Str token, Str next, enum session_mode mode,
                           const struct session_client *client, struct rows *ret)
{
    assert(mode != SESSION_SESSION && next.len == SESSION_TOKEN_LEN);
    return db_query_platform(reactor_platform(ctx), &SQL_SESSION_ROTATE,
                             session_rotate_args(ctx->arena,
                                                 &(struct session_rotate_args){
                                                     .token = token,
                                                     .next = next,
                                                     .expires = session_expiry(ctx, mode),
                                                     .ip = client->ip,
                                                     .user_agent = client->user_agent,
                                                     .origin = client->origin,
                                                     .site = client->only_site,
                                                 }),
                             ret);
}

static fiber_fn Err renew(struct ctx *ctx, Str session, Str next,
                          const struct session_client *client, struct rows *ret)
{
    assert(session.len > 0 && next.len == SESSION_TOKEN_LEN);
    int64_t grace_us = ctx->reactor->settings->session_grace_s * SECOND_US;
    return db_query_platform(reactor_platform(ctx), &SQL_SESSION_RENEW,
                             session_renew_args(ctx->arena,
                                                &(struct session_renew_args){
                                                    .token = session,
                                                    .next = next,
                                                    .expires = session_expiry(ctx, SESSION_SESSION),
                                                    .grace = clock_wall_us() + grace_us,
                                                    .ip = client->ip,
                                                    .user_agent = client->user_agent,
                                                    .origin = client->origin,
                                                    .site = client->only_site,
                                                }),
                             ret);
}

fiber_fn Err session_refresh(struct ctx *ctx, Str token, enum session_mode mode,
                             const struct session_client *client, struct session_tokens *ret)
{
    assert(token.len > 0);
    Str next = random_token(ctx->arena, SESSION_TOKEN_LEN);
    struct rows rows;
    if (mode == SESSION_SESSION) {
        TRY(session_of(ctx, token, &token));
        TRY(renew(ctx, token, next, client, &rows));
    } else {
        TRY(rotate(ctx, token, next, mode, client, &rows));
    }
    if (rows.count == 0)
        return share_refresh(ctx, token, mode, client, ret);
    struct claims claims;
    TRY(user_of(ctx, &rows, &claims));
    if (mode == SESSION_SESSION)
        next = row_text(&rows, 0, SESSION_RENEW_NEXT);
    return session_make_tokens(ctx, claims, next, mode, ret);
}

fiber_fn Err session_logout(struct ctx *ctx, Str token, enum session_mode mode,
                            const struct session_client *client)
{
    assert(token.len > 0);
    if (mode == SESSION_SESSION)
        TRY(session_of(ctx, token, &token));
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SESSION_CLOSE,
                          session_close_args(ctx->arena,
                                             &(struct session_close_args){
                                                 .token = token,
                                                 .ip = client->ip,
                                                 .user_agent = client->user_agent,
                                                 .origin = client->origin,
                                                 .site = client->only_site,
                                             }),
                          &rows));
    bool is_unknown = rows.count == 0 && mode == SESSION_SESSION;
    return is_unknown ? fail_plain(ctx, ERR_INVALID_CREDENTIALS) : OK;
}
