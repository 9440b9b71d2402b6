#include "io/pg/migrate_files.h"

#include "base/crypto/crypto.h"
#include "base/system/ctx.h"
#include "gen/embed.h"

#include <assert.h>

static Err parse_line(struct ctx *ctx, Str line, struct migration *ret);
static bool find_embedded(Str path, Str *ret);
static Err refuse_missing(struct ctx *ctx, const Str *names, uint32_t count);

enum { NAMES_SHOWN = 3 };

Err migrations_load(struct ctx *ctx, struct migrations *ret)
{
    Str manifest;
    if (!find_embedded(STR("schema/manifest"), &manifest))
        return fail(ctx, ERR_CONFIG, "this binary was built without its schema");
    return migrations_parse(ctx, manifest, find_embedded, ret);
}

Err migrations_parse(struct ctx *ctx, Str manifest, bool (*find)(Str path, Str *ret),
                     struct migrations *ret)
{
    struct migrations all = {.list = arena_array(ctx->arena, struct migration, MIGRATIONS_MAX)};
    Str line;
    while (str_next(&manifest, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (all.count == MIGRATIONS_MAX)
            return fail(ctx, ERR_CONFIG, "the manifest has more than %d lines", MIGRATIONS_MAX);
        struct migration migration = {0};
        TRY(parse_line(ctx, line, &migration));
        if (migrations_find(&all, migration.name) != NULL)
            return fail(ctx, ERR_CONFIG, "the manifest names %.*s twice", STR_FMT(migration.name));
        if (!find(migration.name, &migration.sql))
            return fail(ctx, ERR_CONFIG, "this binary was built without %.*s",
                        STR_FMT(migration.name));
        Sha256 sum = sha256(migration.sql);
        migration.checksum = hex_text(ctx->arena, sum.bytes, sizeof(sum.bytes));
        all.list[all.count++] = migration;
    }
    *ret = all;
    return OK;
}

static Err parse_line(struct ctx *ctx, Str line, struct migration *ret)
{
    Str rest = line;
    Str kind = STR_NONE;
    bool has_kind = str_next(&rest, ' ', &kind);
    ret->name = str_trim(rest);
    ret->is_pack = str_eq(kind, STR("pack"));
    if (!has_kind || ret->name.len == 0 || (!ret->is_pack && !str_eq(kind, STR("system"))))
        return fail(ctx, ERR_CONFIG,
                    "the manifest's line '%.*s' is not 'system' or 'pack' and a path",
                    STR_FMT(line));
    return OK;
}

const struct migration *migrations_find(const struct migrations *migrations, Str name)
{
    for (uint32_t i = 0; i < migrations->count; i++)
        if (str_eq(migrations->list[i].name, name))
            return &migrations->list[i];
    return NULL;
}

Err migrations_compare(struct ctx *ctx, const Str *applied, uint32_t applied_count)
{
    struct migrations migrations;
    TRY(migrations_load(ctx, &migrations));
    return migrations_judge(ctx, &migrations, applied, applied_count);
}

Err migrations_judge(struct ctx *ctx, const struct migrations *migrations, const Str *applied,
                     uint32_t applied_count)
{
    bool has_pack = false;
    bool *is_applied = arena_array(ctx->arena, bool, migrations->count + 1);
    for (uint32_t i = 0; i < applied_count; i++) {
        const struct migration *migration = migrations_find(migrations, applied[i]);
        if (migration == NULL)
            return fail(ctx, ERR_CONFIG,
                        "the database is newer than this binary: it has %.*s; use a newer binary",
                        STR_FMT(applied[i]));
        is_applied[migration - migrations->list] = true;
        has_pack = has_pack || migration->is_pack;
    }
    Str *missing = arena_array(ctx->arena, Str, migrations->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < migrations->count; i++)
        if (!is_applied[i] && (has_pack || !migrations->list[i].is_pack))
            missing[count++] = migrations->list[i].name;
    return count == 0 ? OK : refuse_missing(ctx, missing, count);
}

static Err refuse_missing(struct ctx *ctx, const Str *names, uint32_t count)
{
    assert(count > 0);
    Str list = names[0];
    for (uint32_t i = 1; i < count && i < NAMES_SHOWN; i++)
        list = str_printf(ctx->arena, "%.*s, %.*s", STR_FMT(list), STR_FMT(names[i]));
    return fail(ctx, ERR_CONFIG, "%u migration%s missing (%.*s%s): run spark migrate", count,
                count == 1 ? " is" : "s are", STR_FMT(list), count > NAMES_SHOWN ? ", …" : "");
}

/* The embedded paths end with a NUL, a line of the manifest does not. */
static bool find_embedded(Str path, Str *ret)
{
    for (const struct embedded_file *file = EMBEDDED_FILES; file->path != NULL; file++) {
        if (!str_eq(str_from_z(file->path), path))
            continue;
        *ret = str_of(file->data, file->len);
        return true;
    }
    return false;
}
