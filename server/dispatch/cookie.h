/*
 * The cookies of sessions, as Directus sets them: a refresh token, or the access token of a
 * session. Names and attributes are settings.
 */
#pragma once

#include "base/settings/settings.h"
#include "server/http/reply.h"

enum cookie { COOKIE_REFRESH, COOKIE_SESSION };

/* STR_NONE if it was not sent, or is empty. */
Str cookie_get(const struct settings *settings, const struct request *request, enum cookie cookie);
/* An empty value clears it, as in Directus. */
void cookie_set(struct ctx *ctx, struct reply *reply, enum cookie cookie, Str value);
