#include "server/dispatch/route.h"

#include "server/http/exchange.h"

#include <assert.h>

enum { BODY_NONE_MAX = 64 * 1024, BODY_TRACK_MAX = 8 * 1024 };
enum { BODY_PUBLIC_MAX = 16 * 1024, BODY_FORM_MAX = 64 * 1024 };
static_assert((int)BODY_FORM_MAX <= (int)BODY_EARLY_MAX,
              "visitors' bodies are received before dispatch");

uint64_t route_body_max(const struct settings *settings, enum route_body body)
{
    switch (body) {
    case BODY_NONE:
        return BODY_NONE_MAX;
    case BODY_TRACK:
        return BODY_TRACK_MAX;
    case BODY_PUBLIC:
        return BODY_PUBLIC_MAX;
    case BODY_FORM:
        return BODY_FORM_MAX;
    case BODY_CONTENT:
        return (uint64_t)settings->body_max_bytes;
    case BODY_BULK:
        return (uint64_t)settings->bulk_body_max_bytes;
    }
    return BODY_NONE_MAX;
}
