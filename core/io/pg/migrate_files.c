#include "io/pg/migrate_files.h"

#include "base/crypto/crypto.h"
#include "base/system/ctx.h"
#include "gen/embed.h"

#include <assert.h>

static uint32_t count_files(const struct embedded_file *files);
static Err add_migration(struct ctx *ctx, const struct embedded_file *file, struct migrations *all);
static struct schema_file read_file(struct ctx *ctx, const struct embedded_file *file, Str name);
static Err read_old_names(struct ctx *ctx, Str renamed, struct migrations *all);

#define MIGRATIONS_FOLDER STR("schema/migrations/")
#define FUNCTIONS_FOLDER STR("schema/functions/")
#define RENAMED STR("schema/renamed")
#define PACK_PREFIX STR("pack_")

enum { NUMBER_LEN = 4 };

Err migrations_load(struct ctx *ctx, struct migrations *ret)
{
    return migrations_collect(ctx, EMBEDDED_FILES, ret);
}

Err migrations_collect(struct ctx *ctx, const struct embedded_file *files, struct migrations *ret)
{
    uint32_t count = count_files(files);
    struct migrations all = {.list = arena_array(ctx->arena, struct schema_file, count),
                             .functions = arena_array(ctx->arena, struct schema_file, count)};
    Str renamed = STR_NONE;
    for (const struct embedded_file *file = files; file->path != NULL; file++) {
        Str path = str_from_z(file->path);
        if (str_starts_with(path, MIGRATIONS_FOLDER))
            TRY(add_migration(ctx, file, &all));
        else if (str_starts_with(path, FUNCTIONS_FOLDER))
            all.functions[all.function_count++] =
                read_file(ctx, file, str_slice(path, FUNCTIONS_FOLDER.len, path.len));
        else if (str_eq(path, RENAMED))
            renamed = str_of(file->data, file->len);
    }
    if (all.count == 0)
        return fail(ctx, ERR_CONFIG, "this binary was built without its schema");
    TRY(read_old_names(ctx, renamed, &all));
    *ret = all;
    return OK;
}

/* One more element, so that an empty list has an array as well. */
static uint32_t count_files(const struct embedded_file *files)
{
    uint32_t count = 1;
    while (files[count - 1].path != NULL)
        count++;
    return count;
}

static Err add_migration(struct ctx *ctx, const struct embedded_file *file, struct migrations *all)
{
    Str path = str_from_z(file->path);
    Str name = str_slice(path, MIGRATIONS_FOLDER.len, path.len);
    int64_t number = 0;
    if (name.len <= NUMBER_LEN || name.data[NUMBER_LEN] != '_' ||
        !str_to_i64(str_slice(name, 0, NUMBER_LEN), &number))
        return fail(ctx, ERR_CONFIG, "%.*s does not begin with four digits and _", STR_FMT(path));
    size_t prefix = MIGRATIONS_FOLDER.len + NUMBER_LEN;
    if (all->count > 0 &&
        str_eq(str_slice(all->list[all->count - 1].name, 0, prefix), str_slice(path, 0, prefix)))
        return fail(ctx, ERR_CONFIG, "%.*s has the number of %.*s", STR_FMT(path),
                    STR_FMT(all->list[all->count - 1].name));
    all->list[all->count++] = read_file(ctx, file, str_slice(name, NUMBER_LEN + 1, name.len));
    return OK;
}

/* `name` is the part after the folder and the number. */
static struct schema_file read_file(struct ctx *ctx, const struct embedded_file *file, Str name)
{
    Str sql = str_of(file->data, file->len);
    Sha256 sum = sha256(sql);
    return (struct schema_file){
        .name = str_from_z(file->path),
        .sql = sql,
        .checksum = hex_text(ctx->arena, sum.bytes, sizeof(sum.bytes)),
        .is_pack = str_starts_with(name, PACK_PREFIX),
    };
}

/* Lines of "old new". */
static Err read_old_names(struct ctx *ctx, Str renamed, struct migrations *all)
{
    Str line, old_name;
    while (str_next(&renamed, '\n', &line)) {
        if (line.len == 0 || line.data[0] == '#')
            continue;
        Str name = line;
        bool has_space = str_next(&name, ' ', &old_name);
        bool is_found = false;
        for (uint32_t i = 0; has_space && i < all->count; i++) {
            if (!str_eq(all->list[i].name, name))
                continue;
            all->list[i].old_name = old_name;
            is_found = true;
        }
        if (!is_found)
            return fail(ctx, ERR_CONFIG, "schema/renamed: '%.*s' names no migration",
                        STR_FMT(line));
    }
    return OK;
}

const struct schema_file *migrations_find(const struct migrations *migrations, Str name)
{
    assert(name.len > 0);
    for (uint32_t i = 0; i < migrations->count; i++)
        if (str_eq(migrations->list[i].name, name) || str_eq(migrations->list[i].old_name, name))
            return &migrations->list[i];
    return NULL;
}

const struct schema_file *migrations_functions(const struct migrations *migrations, Str stem)
{
    for (uint32_t i = 0; i < migrations->function_count; i++) {
        const struct schema_file *file = &migrations->functions[i];
        Str name = str_slice(file->name, FUNCTIONS_FOLDER.len, file->name.len - STR(".sql").len);
        if (str_eq(name, stem))
            return file;
    }
    return NULL;
}
