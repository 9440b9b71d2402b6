/* Whether a database has the schema of this binary. */
#include "base/system/ctx.h"
#include "io/pg/migrate_files.h"

#include <assert.h>

static Err refuse_missing(struct ctx *ctx, const Str *names, uint32_t count);
static bool is_applied(const struct schema_file *file, const Str *applied, uint32_t count);
static Err refuse_functions(struct ctx *ctx, Str name);

enum { NAMES_SHOWN = 3 };

Err migrations_compare(struct ctx *ctx, const struct migrations *migrations, const Str *applied,
                       uint32_t applied_count)
{
    bool has_pack = false;
    bool *is_known = arena_array(ctx->arena, bool, migrations->count + 1);
    for (uint32_t i = 0; i < applied_count; i++) {
        const struct schema_file *migration = migrations_find(migrations, applied[i]);
        if (migration == NULL)
            return fail(ctx, ERR_CONFIG,
                        "the database is newer than this binary: it has %.*s; use a newer binary",
                        STR_FMT(applied[i]));
        is_known[migration - migrations->list] = true;
        has_pack = has_pack || migration->is_pack;
    }
    Str *missing = arena_array(ctx->arena, Str, migrations->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < migrations->count; i++)
        if (!is_known[i] && (has_pack || !migrations->list[i].is_pack))
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

Err migrations_compare_functions(struct ctx *ctx, const struct migrations *migrations,
                                 const Str *applied, uint32_t applied_count)
{
    uint32_t same = 0;
    bool has_pack = false;
    for (uint32_t i = 0; i < applied_count; i++)
        has_pack = has_pack || str_starts_with(applied[i], STR("schema/functions/pack_"));
    for (uint32_t i = 0; i < migrations->function_count; i++) {
        const struct schema_file *file = &migrations->functions[i];
        if (is_applied(file, applied, applied_count))
            same++;
        else if (has_pack || !file->is_pack)
            return refuse_functions(ctx, file->name);
    }
    assert(same <= applied_count);
    return same == applied_count ? OK : refuse_functions(ctx, STR("a file that it does not carry"));
}

static bool is_applied(const struct schema_file *file, const Str *applied, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (applied[i].len == file->name.len + 1 + file->checksum.len &&
            str_starts_with(applied[i], file->name) && str_ends_with(applied[i], file->checksum))
            return true;
    return false;
}

static Err refuse_functions(struct ctx *ctx, Str name)
{
    return fail(ctx, ERR_CONFIG,
                "the functions of the database are not those of this binary (%.*s): run spark "
                "migrate",
                STR_FMT(name));
}
