#include "base/ctx.h"
#include "base/json.h"
#include "factory/avatar.h"
#include "gen/sql.h"
#include "io/db.h"

#include <assert.h>

fiber_fn Err avatar_find(struct ctx *ctx, Uuid id, struct avatar *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_query(ctx, &SQL_AVATAR_FIND, ARGS(db_uuid(ctx->scope.site), db_uuid(id)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such avatar.");
    const struct json *data;
    TRY(json_parse(ctx, row_json(&rows, 0, AVATAR_FIND_DATA), JSON_LIMITS_DEFAULT, &data));

    /* The table's words stand in for those that the variant lacks. */
    Str type = row_text(&rows, 0, AVATAR_FIND_VARIANT_TYPE);
    struct avatar avatar = {
        .variant = *grammar_variant(grammar_gender(type)),
        .identity = row_text(&rows, 0, AVATAR_FIND_IDENTITY),
    };
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++) {
        const struct json *word = json_get(data, grammar_form_name((enum grammar_form)form));
        if (json_kind(word) == JSON_STRING && json_str(word).len > 0)
            avatar.variant.words[form] = json_str(word);
    }
    *ret = avatar;
    return OK;
}
