/*
 * Any bytes as HTML: counting words, plain text, normalising, slugs, descriptions, pictures. What
 * comes out is valid UTF-8 within its limits, and normalising twice changes nothing.
 */
#include "base/memory/arena.h"
#include "factory/articles/seo.h"
#include "factory/spin/spin.h"
#include "factory/text/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(struct arena *arena, Str html)
{
    Str plain = text_plain(arena, html, TEXT_ALL);
    assert(str_is_utf8(plain));
    Str normal = text_normalise(arena, plain);
    assert(str_is_utf8(normal) && str_eq(normal, text_normalise(arena, normal)));
    assert(text_word_count(html) <= html.len);
    assert(str_count_codepoints(text_cut(normal, 20)) <= 20);
}

static void check_slug(Str slug)
{
    assert(slug.len > 0 && slug.len <= TEXT_SLUG_MAX);
    assert(slug.data[0] != '-' && slug.data[slug.len - 1] != '-');
    for (size_t i = 0; i < slug.len; i++)
        assert((slug.data[i] >= 'a' && slug.data[i] <= 'z') ||
               (slug.data[i] >= '0' && slug.data[i] <= '9') || slug.data[i] == '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    Str html = str_of((const char *)data, size);
    check_texts(arena, html);
    check_slug(text_slug(arena, html, STR("x")));
    assert(str_count_codepoints(seo_meta_title(arena, html)) <= SEO_TITLE_HARD_MAX);
    assert(str_count_codepoints(seo_meta_description(arena, html)) <= SEO_DESCRIPTION_MAX);
    assert(str_is_utf8(svg_picture(arena, html, html)));
    assert(grammar_article(html).len > 0);
    (void)grammar_starts_sentence(html);
    arena_destroy(arena);
    return 0;
}
