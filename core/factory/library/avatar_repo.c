#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "factory/library/library.h"
#include "gen/sql.h"

#include <assert.h>

static const Str TYPES[AVATAR_VARIANTS] = {STR_INIT("male"), STR_INIT("female"),
                                           STR_INIT("neutral")};

bool avatar_is_variant(Str type)
{
    for (uint32_t i = 0; i < AVATAR_VARIANTS; i++)
        if (str_eq(type, TYPES[i]))
            return true;
    return false;
}

bool avatar_is_chosen(const struct avatar_choice *choice)
{
    return choice != NULL &&
           (!uuid_is_nil(choice->id) || choice->key.len > 0 || choice->variant_type.len > 0);
}

static void take_words(const struct json *data, struct grammar_variant *variant)
{
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++) {
        const struct json *word = json_get(data, grammar_form_name((enum grammar_form)form));
        if (json_kind(word) == JSON_STRING && json_str(word).len > 0)
            variant->words[form] = json_str(word);
    }
}

static fiber_fn Err find_row(struct ctx *ctx, const struct avatar_choice *choice,
                             struct avatar *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_AVATAR_FIND,
                 ARGS(db_uuid(ctx->scope.site), db_uuid_or_null(choice->id),
                      db_text_or_null(choice->key), db_text_or_null(choice->variant_type)),
                 &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such avatar.");
    ret->key = row_text(&rows, 0, AVATAR_FIND_KEY);
    ret->type = row_text(&rows, 0, AVATAR_FIND_VARIANT_TYPE);
    ret->identity = row_text(&rows, 0, AVATAR_FIND_IDENTITY);
    ret->variant = *grammar_variant(grammar_gender(ret->type));
    const struct json *data;
    TRY(json_parse(ctx, row_json(&rows, 0, AVATAR_FIND_DATA), JSON_LIMITS_DEFAULT, &data));
    take_words(data, &ret->variant);
    return OK;
}

fiber_fn Err avatar_find(struct ctx *ctx, const struct avatar_choice *choice, struct avatar *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE && avatar_is_chosen(choice));
    struct avatar avatar = {.type = choice->variant_type};
    if (uuid_is_nil(choice->id) && choice->key.len == 0)
        avatar.variant = *grammar_variant(grammar_gender(choice->variant_type));
    else
        TRY(find_row(ctx, choice, &avatar));
    *ret = avatar;
    return OK;
}

fiber_fn Err avatar_locate(struct ctx *ctx, const struct avatar_choice *choice,
                           struct avatar_variants *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_AVATAR_LOCATE,
                 ARGS(db_uuid_or_null(choice->id), db_text_or_null(choice->key)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such avatar.");
    bool is_site = ctx->scope.kind == SCOPE_SITE;
    if (rows.count > 1 && !is_site)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "Several sites have this avatar_key; name one with site_id.");
    uint32_t own = 0;
    for (uint32_t i = 0; is_site && i < rows.count; i++)
        if (uuid_eq(row_uuid(&rows, i, AVATAR_LOCATE_SITE_ID), ctx->scope.site))
            own = i;
    *ret = (struct avatar_variants){
        .avatar = row_uuid(&rows, own, AVATAR_LOCATE_ID),
        .site = row_uuid(&rows, own, AVATAR_LOCATE_SITE_ID),
        .key = row_text(&rows, own, AVATAR_LOCATE_KEY),
    };
    return OK;
}

static Str words_json(struct arena *arena, const struct grammar_variant *variant)
{
    enum { WORDS_MAX = 512 };
    struct buf *out = buf_in_arena(arena, WORDS_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++) {
        json_key(&w, grammar_form_name((enum grammar_form)form));
        json_put_str(&w, variant->words[form]);
    }
    json_object_end(&w);
    assert(!out->is_full);
    return buf_str(out);
}

static fiber_fn Err store_missing(struct db_tx *tx, struct avatar_variants *variants)
{
    struct arena *arena = tx->ctx->arena;
    Uuid ids[AVATAR_VARIANTS];
    Str words[AVATAR_VARIANTS];
    for (uint32_t i = 0; i < AVATAR_VARIANTS; i++) {
        ids[i] = uuid_make();
        words[i] = words_json(arena, grammar_variant(grammar_gender(TYPES[i])));
    }
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_AVATAR_VARIANTS_STORE,
                    ARGS(db_uuid(variants->site), db_text(variants->key),
                         db_uuid_array(arena, ids, AVATAR_VARIANTS),
                         db_text_array(arena, TYPES, AVATAR_VARIANTS),
                         db_text_array(arena, words, AVATAR_VARIANTS)),
                    &rows));
    variants->made = (uint32_t)rows.affected;
    return OK;
}

fiber_fn Err avatar_variants_make(struct db_tx *tx, struct avatar_variants *variants)
{
    TRY(store_missing(tx, variants));
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_AVATAR_VARIANTS_OF,
                    ARGS(db_uuid(variants->site), db_text(variants->key)), &rows));
    assert(rows.count <= AVATAR_VARIANTS);
    variants->count = rows.count;
    for (uint32_t i = 0; i < rows.count; i++) {
        variants->ids[i] = row_uuid(&rows, i, AVATAR_VARIANTS_OF_ID);
        variants->types[i] = row_text(&rows, i, AVATAR_VARIANTS_OF_VARIANT_TYPE);
    }
    return OK;
}
