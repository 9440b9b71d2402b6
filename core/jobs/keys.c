#include "jobs/keys.h"

Str key_tracking_taken(struct arena *arena, Str worker)
{
    return str_printf(arena, "{t}:taken:%.*s", STR_FMT(worker));
}
