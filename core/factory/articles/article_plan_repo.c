#include "base/memory/array.h"
#include "base/memory/map.h"
#include "base/system/ctx.h"
#include "factory/articles/article_plan.h"
#include "factory/library/library.h"
#include "gen/sql.h"

#include <assert.h>

enum { LIBRARY_BLOCKS_MAX = 1000, LIBRARY_MODULES_MAX = 10000 };

/* The names of the slots, and the rows that can fill them. */
struct sources {
    const Str *slots;
    uint32_t slot_count;
    struct fragment_source *list;
    uint32_t count;
};

fiber_fn Err article_plan_version(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                  Str *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_PLAN_VERSION,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(campaign), db_bool(choice->is_modules)),
                 &rows));
    *ret = row_text(&rows, 0, PLAN_VERSION_VERSION);
    return OK;
}

/* Slots */

static fiber_fn Err slots_of(struct ctx *ctx, Str text, struct sources *sources)
{
    const struct json *json = NULL;
    if (text.len > 0)
        TRY(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &json));
    uint32_t len = json_kind(json) == JSON_ARRAY ? json_len(json) : 0;
    Str *slots = arena_array(ctx->arena, Str, len + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; i++)
        if (json_kind(json_at(json, i)) == JSON_STRING)
            slots[count++] = json_str(json_at(json, i));
    *sources = (struct sources){.slots = slots, .slot_count = count};
    return OK;
}

static DbArg slots_arg(struct ctx *ctx, const struct sources *sources)
{
    return db_text_array(ctx->arena, sources->slots, sources->slot_count);
}

/* Modules */

static fiber_fn Err modules_load(struct ctx *ctx, struct sources *sources)
{
    struct rows rows;
    TRY(db_query(
        ctx, &SQL_PLAN_MODULES,
        ARGS(db_uuid(ctx->scope.site), slots_arg(ctx, sources), db_int(LIBRARY_MODULES_MAX)),
        &rows));
    sources->list = arena_array(ctx->arena, struct fragment_source, rows.count + 1);
    sources->count = rows.count;
    for (uint32_t i = 0; i < rows.count; i++)
        sources->list[i] = (struct fragment_source){
            .id = row_uuid(&rows, i, PLAN_MODULES_ID),
            .type = row_text(&rows, i, PLAN_MODULES_TYPE),
            .body = row_text(&rows, i, PLAN_MODULES_BODY),
        };
    return OK;
}

static const Str RECIPE_DEFAULT[] = {STR_INIT("intro"), STR_INIT("benefits"), STR_INIT("howto"),
                                     STR_INIT("conclusion")};

/* *ret is false if the campaign is not assembled by its recipe. */
static fiber_fn Err take_modules(struct ctx *ctx, const struct campaign *campaign, bool is_wanted,
                                 struct sources *sources, bool *ret)
{
    *ret = is_wanted;
    if (!is_wanted && campaign->structure.len > 0)
        return OK;
    TRY(slots_of(ctx, campaign->recipe, sources));
    if (sources->slot_count == 0) {
        sources->slots = RECIPE_DEFAULT;
        sources->slot_count = COUNT_OF(RECIPE_DEFAULT);
    }
    TRY(modules_load(ctx, sources));
    *ret = is_wanted || sources->count > 0;
    return OK;
}

/* Fragments and blocks */

static fiber_fn Err json_of(struct ctx *ctx, const struct rows *rows, uint32_t row, uint32_t column,
                            const struct json **ret)
{
    *ret = NULL;
    if (row_is_null(rows, row, column))
        return OK;
    return json_parse(ctx, row_json(rows, row, column), JSON_LIMITS_DEFAULT, ret);
}

static fiber_fn Err take_block(struct ctx *ctx, const struct rows *rows, uint32_t row,
                               struct fragment_source *ret)
{
    struct block_row block = {
        .id = row_uuid(rows, row, PLAN_BLOCKS_ID),
        .block_id = row_text(rows, row, PLAN_BLOCKS_BLOCK_ID),
        .name = row_text(rows, row, PLAN_BLOCKS_NAME),
        .html = row_text(rows, row, PLAN_BLOCKS_HTML_CONTENT),
    };
    TRY(json_of(ctx, rows, row, PLAN_BLOCKS_DATA, &block.data));
    TRY(json_of(ctx, rows, row, PLAN_BLOCKS_PERSONAL, &block.personal));
    if (block.personal != NULL)
        block.personal_id = row_uuid(rows, row, PLAN_BLOCKS_PERSONAL_ID);
    *ret = block_source(ctx->arena, &block);
    return OK;
}

static fiber_fn Err fragments_load(struct ctx *ctx, Uuid campaign, Str avatar_key,
                                   struct sources *sources)
{
    DbArg site = db_uuid(ctx->scope.site);
    struct rows blocks;
    TRY(db_query(
        ctx, &SQL_PLAN_BLOCKS,
        ARGS(site, slots_arg(ctx, sources), db_text(avatar_key), db_int(LIBRARY_BLOCKS_MAX)),
        &blocks));
    struct rows rows;
    TRY(db_query(ctx, &SQL_PLAN_FRAGMENTS,
                 ARGS(site, db_uuid(campaign), db_int((int64_t)LIBRARY_FRAGMENTS_MAX + 1)), &rows));
    sources->list = arena_array(ctx->arena, struct fragment_source, rows.count + blocks.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        sources->list[sources->count++] = (struct fragment_source){
            .id = row_uuid(&rows, i, PLAN_FRAGMENTS_ID),
            .type = row_text(&rows, i, PLAN_FRAGMENTS_TYPE),
            .body = row_text(&rows, i, PLAN_FRAGMENTS_BODY),
        };
    for (uint32_t i = 0; i < blocks.count; i++) {
        TRY(fiber_breathe(ctx));
        TRY(take_block(ctx, &blocks, i, &sources->list[sources->count++]));
    }
    return OK;
}

static fiber_fn Err library_load(struct ctx *ctx, const struct plan_choice *choice,
                                 struct article_plan *plan)
{
    const struct campaign *campaign = &plan->campaign;
    struct sources sources = {0};
    bool is_modules;
    TRY(take_modules(ctx, campaign, choice->is_modules, &sources, &is_modules));
    if (!is_modules) {
        TRY(slots_of(ctx, campaign->structure, &sources));
        if (sources.slot_count == 0) {
            sources.slots = LIBRARY_DEFAULT_STRUCTURE;
            sources.slot_count = LIBRARY_DEFAULT_SLOTS;
        }
        Str avatar_key = plan->avatar != NULL ? plan->avatar->key : STR_NONE;
        TRY(fragments_load(ctx, campaign->id, avatar_key, &sources));
    }
    plan->path = is_modules ? PATH_MODULES : PATH_FRAGMENTS;
    return library_make(ctx, sources.list, sources.count, sources.slots, sources.slot_count,
                        &plan->library);
}

/* Usage */

static fiber_fn Err usage_load(struct ctx *ctx, struct arena *arena, struct article_plan *plan)
{
    const struct library *library = plan->library;
    plan->usage = arena_array(arena, uint32_t, library->fragment_count + 1);
    if (plan->path == PATH_MODULES)
        return OK; /* counted in the table, and read in each transaction */
    struct rows rows;
    TRY(db_query(
        ctx, &SQL_PLAN_USAGE,
        ARGS(db_uuid(ctx->scope.site), db_uuid(plan->campaign.id), db_int(PLAN_USAGE_ARTICLES)),
        &rows));
    struct map *uses = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < rows.count; i++)
        (void)map_put(uses, row_text(&rows, i, PLAN_USAGE_FRAGMENT),
                      (void *)(uintptr_t)row_int(&rows, i, PLAN_USAGE_USES));
    for (uint32_t i = 0; i < library->fragment_count; i++) {
        Str id = uuid_text(ctx->arena, library->fragments[i].id);
        plan->usage[i] = (uint32_t)(uintptr_t)map_get(uses, id);
    }
    return OK;
}

/* Avatar, picture */

static Str keep(struct arena *arena, Str s)
{
    return s.data == NULL ? s : str_dup(arena, s);
}

static fiber_fn Err avatar_load(struct ctx *ctx, struct arena *arena,
                                const struct plan_choice *choice, struct article_plan *plan)
{
    struct avatar_choice own = {.key = plan->campaign.avatar_key,
                                .variant_type = plan->campaign.variant_type};
    const struct avatar_choice *wanted = avatar_is_chosen(choice->avatar) ? choice->avatar : &own;
    if (!avatar_is_chosen(wanted))
        return OK;
    struct avatar *avatar = arena_new(arena, struct avatar);
    TRY(avatar_find(ctx, wanted, avatar));
    Str *texts[] = {&avatar->key, &avatar->type, &avatar->identity};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = keep(arena, *texts[i]);
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++)
        avatar->variant.words[form] = keep(arena, avatar->variant.words[form]);
    plan->avatar = avatar;
    return OK;
}

/* Sets {Avatar} and {Pronoun} in addition to [[PRONOUN]]. They override the niche variables, which
 * may define them too. */
static void name_avatar(struct arena *arena, struct article_plan *plan)
{
    struct spin_vars *vars = spin_vars_make(arena, plan->vars);
    if (plan->avatar->identity.len > 0)
        spin_vars_set(vars, STR("avatar"), plan->avatar->identity);
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++)
        spin_vars_set(vars, grammar_form_name((enum grammar_form)form),
                      plan->avatar->variant.words[form]);
    plan->vars = vars;
}

static fiber_fn Err picture_load(struct ctx *ctx, struct arena *arena, struct article_plan *plan)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_PLAN_PICTURE, ARGS(db_uuid(ctx->scope.site)), &rows));
    if (rows.count == 0)
        return OK;
    struct svg_template *picture = arena_new(arena, struct svg_template);
    *picture = (struct svg_template){
        .id = row_uuid(&rows, 0, PLAN_PICTURE_ID),
        .source = keep(arena, row_text(&rows, 0, PLAN_PICTURE_SVG_SOURCE)),
        .gradient_start = keep(arena, row_text(&rows, 0, PLAN_PICTURE_GRADIENT_START)),
        .gradient_end = keep(arena, row_text(&rows, 0, PLAN_PICTURE_GRADIENT_END)),
        .text_color = keep(arena, row_text(&rows, 0, PLAN_PICTURE_TEXT_COLOR)),
        .accent_color = keep(arena, row_text(&rows, 0, PLAN_PICTURE_ACCENT_COLOR)),
        .font_family = keep(arena, row_text(&rows, 0, PLAN_PICTURE_FONT_FAMILY)),
        .width = (int32_t)row_int(&rows, 0, PLAN_PICTURE_WIDTH),
        .height = (int32_t)row_int(&rows, 0, PLAN_PICTURE_HEIGHT),
        .title_size = (int32_t)row_int(&rows, 0, PLAN_PICTURE_TITLE_SIZE),
        .subtitle_size = (int32_t)row_int(&rows, 0, PLAN_PICTURE_SUBTITLE_SIZE),
    };
    plan->picture = picture;
    return OK;
}

/* Copies the texts, because the plan outlives this request's arena. */
static void campaign_keep(struct arena *arena, struct campaign *campaign)
{
    Str *texts[] = {
        &campaign->status,          &campaign->name,          &campaign->headline_root,
        &campaign->niche_variables, &campaign->location_mode, &campaign->location_target,
        &campaign->structure,       &campaign->recipe,        &campaign->title_spintax,
        &campaign->avatar_key,      &campaign->variant_type,  &campaign->site_name,
        &campaign->site_url,
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = keep(arena, *texts[i]);
}

fiber_fn Err article_plan_fill(struct ctx *ctx, struct arena *arena, Uuid campaign,
                               const struct plan_choice *choice, struct article_plan *ret)
{
    TRY(campaign_find(ctx, campaign, &ret->campaign));
    campaign_keep(arena, &ret->campaign);
    TRY(campaign_vars(ctx, arena, &ret->campaign, &ret->vars));
    TRY(avatar_load(ctx, arena, choice, ret));
    if (ret->avatar != NULL)
        name_avatar(arena, ret);
    TRY(picture_load(ctx, arena, ret));
    TRY(library_load(ctx, choice, ret));
    return usage_load(ctx, arena, ret);
}
