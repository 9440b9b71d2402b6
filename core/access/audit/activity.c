#include "access/audit/activity.h"

#include <assert.h>

/* Column limits of directus_activity. */
enum { IP_MAX = 50, USER_AGENT_MAX = 2048, ORIGIN_MAX = 255 };

bool activity_is_kept(const struct actor *actor)
{
    return actor != NULL && actor->kind != ACTOR_MACHINERY;
}

static DbArg limited(Str text, size_t max)
{
    assert(max > 0);
    Str cut = str_slice(text, 0, max);
    while (cut.len > 0 && cut.len == max && !str_is_utf8(cut))
        cut.len--;
    return cut.len == 0 ? db_null() : db_text(cut);
}

void activity_put_actor(const struct actor *actor, DbArg *list)
{
    assert(actor != NULL);
    list[ACTIVITY_USER] = uuid_is_nil(actor->user) ? db_null() : db_uuid(actor->user);
    list[ACTIVITY_IP] = limited(actor->ip, IP_MAX);
    list[ACTIVITY_AGENT] = limited(actor->user_agent, USER_AGENT_MAX);
    list[ACTIVITY_ORIGIN] = limited(actor->origin, ORIGIN_MAX);
}
