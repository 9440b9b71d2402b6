#include "jobs/queue/keys.h"

Str key_queue_held(struct arena *arena, Str worker)
{
    return str_printf(arena, KEY_QUEUE_TAG ":w:%.*s", STR_FMT(worker));
}
