#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/memory/map.h"
#include "factory/blueprint/blueprint.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

/* The part of a list that one statement stores: rows [from, from + count). */
struct slice {
    struct db_tx *tx;
    Uuid site;
    const struct blueprint_list *list;
    uint32_t from;
    uint32_t count;
};

static struct arena *arena_of(const struct slice *slice)
{
    return slice->tx->ctx->arena;
}

static struct db_uuids new_ids(const struct slice *slice)
{
    Uuid *ids = arena_array(arena_of(slice), Uuid, slice->count);
    for (uint32_t i = 0; i < slice->count; i++)
        ids[i] = uuid_make();
    return (struct db_uuids){ids, slice->count};
}

static struct db_texts texts(const struct slice *slice, uint32_t column)
{
    return (struct db_texts){slice->list->columns[column] + slice->from, slice->count};
}

static struct db_ints numbers(const struct slice *slice)
{
    return (struct db_ints){slice->list->numbers + slice->from, slice->count};
}

static struct db_args dictionaries(const struct slice *slice)
{
    struct dictionaries_store_args args = {
        .site = slice->site,
        .ids = new_ids(slice),
        .categories = texts(slice, 0),
        .datas = texts(slice, 1),
    };
    return dictionaries_store_args(arena_of(slice), &args);
}

static struct db_args offers(const struct slice *slice)
{
    struct offer_blocks_store_args args = {
        .site = slice->site,
        .ids = new_ids(slice),
        .types = texts(slice, 0),
        .block_ids = texts(slice, 1),
        .avatar_keys = texts(slice, 2),
        .names = texts(slice, 3),
        .htmls = texts(slice, 4),
        .datas = texts(slice, 5),
    };
    return offer_blocks_store_args(arena_of(slice), &args);
}

static struct db_args states(const struct slice *slice)
{
    struct states_store_args args = {
        .site = slice->site,
        .ids = new_ids(slice),
        .names = texts(slice, 0),
        .codes = texts(slice, 1),
        .countries = texts(slice, 2),
        .populations = numbers(slice),
        .regions = texts(slice, 3),
    };
    return states_store_args(arena_of(slice), &args);
}

static struct db_args counties(const struct slice *slice)
{
    struct counties_store_args args = {
        .site = slice->site,
        .ids = new_ids(slice),
        .names = texts(slice, 0),
        .states = texts(slice, 1),
        .populations = numbers(slice),
    };
    return counties_store_args(arena_of(slice), &args);
}

static struct db_args cities(const struct slice *slice)
{
    struct cities_store_args args = {
        .site = slice->site,
        .ids = new_ids(slice),
        .names = texts(slice, 0),
        .states = texts(slice, 1),
        .counties = texts(slice, 2),
        .populations = numbers(slice),
        .postal_codes = texts(slice, 3),
    };
    return cities_store_args(arena_of(slice), &args);
}

static struct slice slice_of(struct db_tx *tx, Uuid site, const struct blueprint_list *list,
                             uint32_t from)
{
    uint32_t left = list->count - from;
    return (struct slice){
        .tx = tx,
        .site = site,
        .list = list,
        .from = from,
        .count = left < BLUEPRINT_ROWS ? left : BLUEPRINT_ROWS,
    };
}

static fiber_fn Err store_list(struct db_tx *tx, const struct statement *statement,
                               struct db_args (*args_of)(const struct slice *slice), Uuid site,
                               const struct blueprint_list *list, int64_t *ret_stored)
{
    for (uint32_t from = 0; from < list->count; from += BLUEPRINT_ROWS) {
        struct slice slice = slice_of(tx, site, list, from);
        struct rows rows;
        TRY(db_tx_query(tx, statement, args_of(&slice), &rows));
        *ret_stored += rows.affected;
    }
    return OK;
}

static fiber_fn Err store_fragments(struct db_tx *tx, Uuid site, Uuid campaign,
                                    const struct blueprint_list *list, int64_t *ret_stored)
{
    for (uint32_t from = 0; from < list->count; from += BLUEPRINT_ROWS) {
        struct slice slice = slice_of(tx, site, list, from);
        struct rows rows;
        TRY(db_tx_query(tx, &SQL_FRAGMENTS_STORE,
                        fragments_store_args(tx->ctx->arena,
                                             &(struct fragments_store_args){
                                                 .site = site,
                                                 .campaign = campaign,
                                                 .ids = new_ids(&slice),
                                                 .types = texts(&slice, 0),
                                                 .bodies = texts(&slice, 1),
                                                 .word_counts = numbers(&slice),
                                                 .hashes = texts(&slice, 2),
                                             }),
                        &rows));
        *ret_stored += rows.affected;
    }
    return OK;
}

static fiber_fn Err store_headlines(struct db_tx *tx, Uuid site, Uuid campaign,
                                    const struct blueprint *blueprint, int64_t *ret_stored)
{
    const struct blueprint_list *list = &blueprint->headlines;
    for (uint32_t from = 0; from < list->count; from += BLUEPRINT_ROWS) {
        struct slice slice = slice_of(tx, site, list, from);
        struct rows rows;
        TRY(db_tx_query(tx, &SQL_HEADLINES_STORE,
                        headlines_store_args(tx->ctx->arena,
                                             &(struct headlines_store_args){
                                                 .site = site,
                                                 .campaign = campaign,
                                                 .campaign_site = site,
                                                 .formula = STR_NONE,
                                                 .ids = new_ids(&slice),
                                                 .titles = texts(&slice, 0),
                                                 .hashes = texts(&slice, 1),
                                                 .locations = texts(&slice, 2),
                                             }),
                        &rows));
        *ret_stored += row_int(&rows, 0, HEADLINES_STORE_INSERTED);
    }
    return OK;
}

static fiber_fn Err store_template(struct db_tx *tx, Uuid site, const struct blueprint *blueprint,
                                   Uuid *ret)
{
    if (blueprint->template_name.len == 0)
        return OK;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_TEMPLATE_STORE,
                    ARGS(db_uuid(site), db_uuid(uuid_make()), db_text(blueprint->template_name),
                         db_text(blueprint->template_structure),
                         db_text_z(blueprint->template_description)),
                    &rows));
    assert(rows.count == 1);
    *ret = row_uuid(&rows, 0, TEMPLATE_STORE_ID);
    return OK;
}

static fiber_fn Err store_campaign(struct db_tx *tx, Uuid site, Uuid template,
                                   const struct blueprint *blueprint, Uuid *ret)
{
    if (blueprint->campaign_name.len == 0)
        return OK;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_CAMPAIGN_BY_NAME,
                    ARGS(db_uuid(site), db_text(blueprint->campaign_name)), &rows));
    if (rows.count > 0) {
        *ret = row_uuid(&rows, 0, CAMPAIGN_BY_NAME_ID);
        return OK;
    }
    *ret = uuid_make();
    return db_tx_query(tx, &SQL_CAMPAIGN_CREATE,
                       campaign_create_args(tx->ctx->arena,
                                            &(struct campaign_create_args){
                                                .site = site,
                                                .id = *ret,
                                                .name = blueprint->campaign_name,
                                                .headline_root = blueprint->headline_root,
                                                .niche_variables = blueprint->niche_variables,
                                                .location_mode = blueprint->location_mode,
                                                .location_target = blueprint->location_target,
                                                .batch_count = (int32_t)blueprint->batch_count,
                                                .target_words = (int32_t)blueprint->target_words,
                                                .article_template = template,
                                            }),
                       NULL);
}

static fiber_fn Err check_states(struct ctx *ctx, const struct map *known, const char *key,
                                 const struct blueprint_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        fiber_pause();
        Str code = list->columns[1][i];
        if (map_get(known, code) != NULL)
            continue;
        return fail_noted(ctx, ERR_FAILED_VALIDATION, "field",
                          str_printf(ctx->arena, "locations.%s[%u].state", key, i),
                          "locations.%s[%u].state: no state has the code \"%.*s\".", key, i,
                          STR_FMT(code));
    }
    return OK;
}

static fiber_fn Err store_places(struct db_tx *tx, Uuid site, const struct blueprint *blueprint,
                                 struct blueprint_result *ret)
{
    if (blueprint->states.count + blueprint->counties.count + blueprint->cities.count == 0)
        return OK;
    TRY(store_list(tx, &SQL_STATES_STORE, states, site, &blueprint->states, &ret->states));
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_STATE_CODES, ARGS(db_uuid(site)), &rows));
    struct map *known = map_in_arena(tx->ctx->arena);
    for (uint32_t i = 0; i < rows.count; i++)
        (void)map_put(known, row_text(&rows, i, STATE_CODES_CODE), known);
    TRY(check_states(tx->ctx, known, "cities", &blueprint->cities));
    TRY(check_states(tx->ctx, known, "counties", &blueprint->counties));
    TRY(store_list(tx, &SQL_COUNTIES_STORE, counties, site, &blueprint->counties, &ret->counties));
    return store_list(tx, &SQL_CITIES_STORE, cities, site, &blueprint->cities, &ret->cities);
}

static fiber_fn Err log_import(struct db_tx *tx, Uuid site, const struct blueprint *blueprint,
                               const struct blueprint_result *result)
{
    struct ctx *ctx = tx->ctx;
    enum { DETAILS_MAX = 8 * 1024 };
    struct buf *out = buf_in_arena(ctx->arena, DETAILS_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    if (blueprint->campaign_name.len > 0)
        json_field_str(&w, "campaign", blueprint->campaign_name);
    json_field_int(&w, "fragments", result->fragments);
    json_field_int(&w, "headlines", result->headlines);
    json_object_end(&w);
    bool has_campaign = !uuid_is_nil(result->campaign_id);
    return audit_write(
        tx, &(struct audit){
                .action = STR("imported"),
                .entity_type = STR("campaign_masters"),
                .entity_id = has_campaign ? uuid_text(ctx->arena, result->campaign_id) : STR_NONE,
                .details = buf_str(out),
                .level = "success",
                .site = site,
            });
}

static fiber_fn Err store_all(struct db_tx *tx, Uuid site, const struct blueprint *blueprint,
                              struct blueprint_result *ret)
{
    TRY(db_tx_query(tx, &SQL_BLUEPRINT_LOCK, ARGS(db_uuid(site), db_text(blueprint->campaign_name)),
                    NULL));
    TRY(store_template(tx, site, blueprint, &ret->template_id));
    TRY(store_campaign(tx, site, ret->template_id, blueprint, &ret->campaign_id));
    TRY(store_fragments(tx, site, ret->campaign_id, &blueprint->fragments, &ret->fragments));
    TRY(store_list(tx, &SQL_DICTIONARIES_STORE, dictionaries, site, &blueprint->dictionaries,
                   &ret->dictionaries));
    TRY(store_list(tx, &SQL_OFFER_BLOCKS_STORE, offers, site, &blueprint->offers, &ret->offers));
    TRY(store_places(tx, site, blueprint, ret));
    TRY(store_headlines(tx, site, ret->campaign_id, blueprint, &ret->headlines));
    return log_import(tx, site, blueprint, ret);
}

fiber_fn Err blueprint_store(struct ctx *ctx, Uuid site, const struct blueprint *blueprint,
                             struct blueprint_result *ret)
{
    bool is_library = uuid_eq(site, UUID_LIBRARY_SITE);
    assert(ctx->scope.kind == SCOPE_PLATFORM ||
           (ctx->scope.kind == SCOPE_SITE && uuid_eq(ctx->scope.site, site)));
    if (is_library && blueprint->headlines.count > 0)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "Headlines belong to one site: name it with site_id.");
    struct blueprint_result result = {0};
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(store_all(&tx, site, blueprint, &result));
    TRY(db_commit(&tx));
    *ret = result;
    return OK;
}
