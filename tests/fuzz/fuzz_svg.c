/*
 * Any bytes as a picture. Whatever is kept is XML that is kept as it is when it is read again, and
 * names nothing that a picture may not have; filled in, it is refused or stays within the same.
 */
#include "factory/svg/internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(Str text, const char *part)
{
    return str_find(text, str_from_z(part)) >= 0;
}

static void expect_harmless(struct arena *arena, Str kept)
{
    assert(str_starts_with(kept, STR("<svg")));
    static const char *const NEVER[] = {"<script", "<style", "<foreignObject", "<!", "<?", "<a "};
    for (size_t i = 0; i < sizeof NEVER / sizeof NEVER[0]; i++)
        assert(!has(kept, NEVER[i]));
    Str again;
    Str refused;
    bool is_kept = svg_clean(arena, kept, NULL, NULL, &again, &refused);
    /* Escaping may carry it over the limit of what is read. */
    assert(is_kept ? str_eq(again, kept) : kept.len > SVG_SOURCE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    Str source = str_of((const char *)data, size);
    Str kept;
    Str refused;
    if (svg_clean(arena, source, NULL, NULL, &kept, &refused))
        expect_harmless(arena, kept);
    else
        assert(refused.len > 0 && kept.len == 0);

    struct svg_template template_ = {
        .source = source, .width = 1200, .height = 630, .title_size = 48, .subtitle_size = 18};
    template_.gradient_start = STR("url(#a)");
    template_.font_family = STR("A\"'<&");
    struct svg_texts texts = {.title = str_slice(source, 0, size < 200 ? size : 200),
                              .subtitle = STR("]]>&#0;"),
                              .city = STR("{title}")};
    if (svg_fill(arena, &template_, &texts, &kept, &refused))
        expect_harmless(arena, kept);
    else
        assert(refused.len > 0);
    arena_destroy(arena);
    return 0;
}
