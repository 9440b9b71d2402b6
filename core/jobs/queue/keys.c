#include "jobs/queue/keys.h"

Str key_queue_held(struct arena *arena, Str worker)
{
    return str_printf(arena, KEY_QUEUE_TAG ":w:%.*s", STR_FMT(worker));
}

Str key_tracking_taken(struct arena *arena, Str prefix, Str worker)
{
    return str_printf(arena, "%.*s%.*s", STR_FMT(prefix), STR_FMT(worker));
}
