#include "io/setup/setup.h"

#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "io/fiber/fiber.h"
#include "io/fiber/loop.h"
#include "io/net/http_client.h"
#include "io/net/mailer.h"
#include "io/pg/db.h"
#include "io/redis/redis.h"

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
