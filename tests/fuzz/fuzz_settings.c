/*
 * A settings file of any bytes is either refused with sentences or read and described.
 */
#include "base/settings/settings.h"
#include "base/system/ctx.h"

#include <assert.h>

/* No file of the machine may be named by the input. */
static bool names_a_file(Str text)
{
    return str_find(text, STR("_FILE")) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str file = str_of((const char *)data, size);
    if (names_a_file(file))
        return 0;
    struct ctx ctx = {.arena = arena_create()};
    struct settings settings;
    const struct setting_info *infos;
    if (settings_load(&ctx, file, &settings) == OK) {
        assert(settings.port >= 0 && settings.port <= 65535);
        assert(settings_describe(&ctx, file, &settings, &infos) > 0);
    } else {
        assert(ctx.diag.count > 0 && ctx.diag.first->err == ERR_CONFIG);
    }
    arena_destroy(ctx.arena);
    return 0;
}
