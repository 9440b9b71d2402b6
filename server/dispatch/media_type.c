#include "server/dispatch/media_type.h"

#include <assert.h>

bool media_type_is(Str content_type, Str type)
{
    assert(type.len > 0);
    Str kind;
    return str_next(&content_type, ';', &kind) && str_eq_nocase(str_trim(kind), type);
}

Err media_type_refuse(struct ctx *ctx, Str type, const char *where)
{
    Str shown = type.len == 0 ? STR("undefined") : type;
    Err err = fail_noted(ctx, ERR_UNSUPPORTED_MEDIA_TYPE, "where", str_from_z(where),
                         "Unsupported media type \"%.*s\" in %s.", STR_FMT(shown), where);
    if (type.len > 0)
        fail_note(ctx, "mediaType", type);
    return err;
}

Err media_type_file(struct ctx *ctx, struct multipart *m, struct multipart_part *ret)
{
    while (multipart_next(m, ret))
        if (ret->file_name.data != NULL)
            return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD, "No file was included in the body");
}
