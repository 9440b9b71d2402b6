#include "io/reactor/reactor.h"

#include "base/system/clock.h"

#include <assert.h>
#include <stdlib.h>

struct reactor *reactor_new(const struct settings *settings, struct offload *offload,
                            uint32_t index, const char *application)
{
    assert(settings != NULL && offload != NULL && application != NULL);
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    if (reactor == NULL)
        abort();
    struct loop *loop = loop_new();
    loop_set_offload(loop, offload);
    loop_set_turn_limit(loop, settings->loop_turn_max_ms * MS_US);
    *reactor = (struct reactor){
        .loop = loop,
        .db = db_new(loop, settings, application),
        .redis = redis_new(loop, settings->redis_url),
        .offload = offload,
        .http = http_client_new(loop),
        .mailer = mailer_new(loop),
        .settings = settings,
        .index = index,
    };
    return reactor;
}

void reactor_free(struct reactor *reactor)
{
    if (reactor == NULL)
        return;
    assert(fiber_count(reactor->loop) == 0);
    reactor_release(reactor);
    http_client_free(reactor->http);
    mailer_free(reactor->mailer);
    redis_free(reactor->redis);
    db_free(reactor->db);
    loop_free(reactor->loop);
    free(reactor);
}

void reactor_release(struct reactor *reactor)
{
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (reactor->slots[i] != NULL && reactor->releases[i] != NULL)
            reactor->releases[i](reactor->slots[i]);
        reactor->slots[i] = NULL;
    }
}

void reactor_keep(struct reactor *reactor, enum reactor_slot slot, void *content,
                  void (*release)(void *content))
{
    assert(slot < SLOT_COUNT && content != NULL);
    reactor->slots[slot] = content;
    reactor->releases[slot] = release;
}

struct ctx reactor_ctx(struct reactor *reactor, struct arena *arena, int64_t timeout_us)
{
    assert(reactor != NULL && arena != NULL && timeout_us > 0);
    return (struct ctx){
        .arena = arena,
        .reactor = reactor,
        .scope = {.kind = SCOPE_NONE},
        .deadline_us = clock_now_us() + timeout_us,
    };
}

struct platform reactor_platform(struct ctx *ctx)
{
    assert(ctx != NULL && ctx->actor == NULL);
    return (struct platform){ctx};
}
