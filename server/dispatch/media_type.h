/* Content types of bodies, and files within them. */
#pragma once

#include "base/text/multipart.h"
#include "server/dispatch/route.h"

/* Whether it is this type, whatever its parameters are. */
bool media_type_is(Str content_type, Str type);
/* ERR_UNSUPPORTED_MEDIA_TYPE; `where` it was found, in Directus' words. */
Err media_type_refuse(struct ctx *ctx, Str type, const char *where);
#define MEDIA_TYPE_HEADER "Content-Type header"
/* The first file of a form. */
Err media_type_file(struct ctx *ctx, struct multipart *m, struct multipart_part *ret);
