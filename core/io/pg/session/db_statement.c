#include "io/pg/session/db_statement.h"

#include "base/system/range.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARAMS_TEXT_MIN = 4096, PARAMS_TEXT_KEEP = 1 << 20 };

static struct db_statement **table_find(struct statement_cache *cache, uint64_t hash, Str key);
static bool is_seen_often(struct statement_cache *cache, uint64_t hash);
static struct db_statement *statement_new(uint64_t hash, Str key, uint32_t arg_count);
static bool is_compatible(const struct db_statement *statement, struct db_args args);
static void take_oids(struct db_statement *statement, struct db_args args);
static void *must(void *memory);

void statement_cache_init(struct statement_cache *cache)
{
    *cache = (struct statement_cache){
        .table = must(calloc(STATEMENT_TABLE_SIZE, sizeof(*cache->table))),
        .seen = must(calloc(STATEMENT_SEEN_SIZE, sizeof(*cache->seen))),
    };
}

void statement_cache_finish(struct statement_cache *cache)
{
    for (uint32_t i = 0; cache->table != NULL && i < STATEMENT_TABLE_SIZE; i++) {
        if (cache->table[i] == NULL)
            continue;
        free(cache->table[i]->key);
        free(cache->table[i]->oids);
        free(cache->table[i]);
    }
    free(cache->table);
    free(cache->seen);
    *cache = (struct statement_cache){0};
}

struct db_statement *statement_find(struct statement_cache *cache,
                                    const struct statement *statement, struct db_args args)
{
    Str key = str_from_z(statement->name != NULL ? statement->name : statement->sql);
    uint64_t hash = str_hash(key) ^ ((uint64_t)statement->types << 32);
    struct db_statement **place = table_find(cache, hash, key);
    struct db_statement *found = *place;
    if (found != NULL && found->is_prepared && is_compatible(found, args))
        return found;

    if (cache->names >= STATEMENT_NAMES_MAX) {
        cache->misses++;
        return NULL;
    }
    if (found == NULL && statement->name == NULL && !is_seen_often(cache, hash))
        return NULL;
    if (found == NULL) {
        *place = found = statement_new(hash, key, args.count);
        cache->entries++;
    }
    if (found->prepares >= STATEMENT_PREPARES_MAX)
        return NULL;
    take_oids(found, args);
    found->prepares++;
    found->number = ++cache->names;
    snprintf(found->name, sizeof(found->name), "s%u", found->number);
    found->is_prepared = false;
    return found;
}

void statement_forget(struct db_statement *statement, uint32_t number)
{
    if (statement->number == number)
        statement->is_prepared = false;
}

bool statement_cache_is_worn(const struct statement_cache *cache)
{
    return cache->misses >= STATEMENT_MISSES_MAX;
}

void db_params_set(struct db_params *params, struct db_args args)
{
    if (args.count > params->capacity) {
        params->capacity = args.count + 16;
        params->types = must(realloc(params->types, params->capacity * sizeof(*params->types)));
        params->values = must(realloc(params->values, params->capacity * sizeof(*params->values)));
        params->lengths =
            must(realloc(params->lengths, params->capacity * sizeof(*params->lengths)));
        params->formats =
            must(realloc(params->formats, params->capacity * sizeof(*params->formats)));
    }
    size_t text_size = 0;
    for (uint32_t i = 0; i < args.count; i++)
        if (!args.list[i].is_binary && args.list[i].data != NULL)
            text_size += args.list[i].len + 1;
    if (text_size > params->text_size || params->text_size > PARAMS_TEXT_KEEP) {
        free(params->text);
        params->text_size = max_size(text_size, PARAMS_TEXT_MIN);
        params->text = must(malloc(params->text_size));
    }

    char *text = params->text;
    for (uint32_t i = 0; i < args.count; i++) {
        const DbArg *arg = &args.list[i];
        params->types[i] = arg->oid;
        params->lengths[i] = (int)arg->len;
        params->formats[i] = arg->is_binary ? 1 : 0;
        params->values[i] = arg->is_inline ? arg->inline_data : arg->data;
        if (arg->is_binary || arg->data == NULL)
            continue;
        /* libpq measures text with strlen. */
        memcpy(text, arg->data, arg->len);
        text[arg->len] = '\0';
        params->values[i] = text;
        text += arg->len + 1;
    }
}

void db_params_finish(struct db_params *params)
{
    free(params->types);
    free(params->values);
    free(params->lengths);
    free(params->formats);
    free(params->text);
    *params = (struct db_params){0};
}

/* The position of the entry, or where to insert it. Entries are never removed, so probing needs no
 * tombstones. */
static struct db_statement **table_find(struct statement_cache *cache, uint64_t hash, Str key)
{
    static_assert(STATEMENT_TABLE_SIZE >= 2 * STATEMENT_NAMES_MAX, "a free place always exists");
    for (uint32_t i = (uint32_t)hash;; i++) {
        struct db_statement **place = &cache->table[i % STATEMENT_TABLE_SIZE];
        if (*place == NULL || ((*place)->hash == hash && str_eq(str_from_z((*place)->key), key)))
            return place;
    }
}

/* A place remembers one shape, by a tag in the upper 24 bits, and how often it was seen, in the
 * lower 8. Another shape that falls on it first wears that number down: rare ones of a long day do
 * not add up to common ones. */
static bool is_seen_often(struct statement_cache *cache, uint64_t hash)
{
    uint32_t *place = &cache->seen[(hash >> 32) % STATEMENT_SEEN_SIZE];
    uint32_t tag = (uint32_t)hash & 0xffffff00;
    uint32_t count = *place & 0xff;
    if (count == 0 || (*place & 0xffffff00) == tag)
        *place = tag | (count + 1);
    else
        *place -= 1;
    return *place == (tag | STATEMENT_SEEN_MIN);
}

static struct db_statement *statement_new(uint64_t hash, Str key, uint32_t arg_count)
{
    struct db_statement *statement = must(calloc(1, sizeof(*statement)));
    statement->hash = hash;
    statement->key = must(malloc(key.len + 1));
    memcpy(statement->key, key.data, key.len);
    statement->key[key.len] = '\0';
    statement->arg_count = arg_count;
    statement->oids = must(calloc(arg_count + 1, sizeof(*statement->oids)));
    return statement;
}

static bool has_type(const DbArg *arg)
{
    return arg->is_inline || arg->data != NULL || arg->oid != 0;
}

/* A prepared statement has fixed argument types: null without a type fits all of them, text without
 * one fits where the server chose it, everything else only where it is the very same. */
static bool is_compatible(const struct db_statement *statement, struct db_args args)
{
    assert(statement->arg_count == args.count);
    for (uint32_t i = 0; i < args.count; i++) {
        const DbArg *arg = &args.list[i];
        if (has_type(arg) && arg->oid != statement->oids[i])
            return false;
    }
    return true;
}

static void take_oids(struct db_statement *statement, struct db_args args)
{
    assert(statement->arg_count == args.count);
    for (uint32_t i = 0; i < args.count; i++) {
        const DbArg *arg = &args.list[i];
        if (has_type(arg))
            statement->oids[i] = arg->oid;
    }
}

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}
