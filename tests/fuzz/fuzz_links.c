/*
 * Any bytes as an article. Whatever is inserted: without it the article is what it was, byte by
 * byte and tag by tag; no link lies in a link; a second run inserts nothing.
 */
#include "base/text/buf.h"
#include "factory/links/links_internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ONE(text) (const Str[]){STR_INIT(text)}, 1

static const struct link_index *make_index(struct arena *arena)
{
    static const Str MANY[] = {STR_INIT("b c"), STR_INIT("a b c"), STR_INIT("\u00e9")};
    const struct link_target targets[] = {
        {.href = STR("/fuzz?a&b"), .anchors = MANY, .anchor_count = 3, .max_per_article = 3},
        {.href = STR("/fuzz-b"), ONE("b"), .max_per_article = 2, .priority = 1},
        {.href = STR("/fuzz-solar"), ONE("solar"), .max_per_article = 1},
        {.href = STR("/fuzz-amp"), ONE("amp"), .max_per_article = 1},
        {.href = STR("/fuzz-x"), ONE("x & y"), .max_per_article = 1},
        {.href = STR("/fuzz-a"), ONE("a"), .max_per_article = 9},
        {.href = STR("/fuzz-27"), ONE("27"), .max_per_article = 9},
    };
    return link_index_build(arena, STR("own.example"), targets,
                            sizeof(targets) / sizeof(targets[0]));
}

/* Whether a tag is one that was inserted. */
static bool is_inserted(Str tag, const struct links_result *result)
{
    char bytes[128];
    for (uint32_t i = 0; i < result->count; i++) {
        struct buf expected = {
            .data = bytes, .cap = sizeof bytes, .max = sizeof bytes, .is_borrowed = true};
        link_put_tag(&expected, result->made[i].target->href);
        if (str_eq(tag, buf_str(&expected)))
            return true;
    }
    return false;
}

/* The pieces of a document, without links that were inserted; those may hold no tag at all. */
static Str outline(struct arena *arena, Str html, const struct links_result *result)
{
    struct buf *out = buf_in_arena(arena, html.len * 2 + 16);
    struct html_scan scan = html_scan(html);
    bool in_inserted = false;
    for (struct html_piece piece = html_next(&scan); piece.kind != HTML_END;
         piece = html_next(&scan)) {
        if (piece.kind != HTML_TAG) {
            buf_put(out, piece.source);
        } else if (in_inserted) {
            assert(str_eq(piece.source, STR("</a>")));
            in_inserted = false;
        } else if (result != NULL && is_inserted(piece.source, result)) {
            in_inserted = true;
        } else {
            buf_put_char(out, '\x01');
            buf_put(out, piece.source);
            struct link_place place = {0};
            size_t from = scan.at;
            link_place_tag(&place, &scan, piece);
            buf_put(out, str_slice(html, from, scan.at));
        }
    }
    assert(!in_inserted);
    return buf_str(out);
}

static void check_undo(struct arena *arena, Str html, const struct links_result *result)
{
    struct link_record *records = arena_array(arena, struct link_record, result->count);
    bool *removed = arena_array(arena, bool, result->count);
    for (uint32_t i = 0; i < result->count; i++)
        records[i] = (struct link_record){result->made[i].target->href, result->made[i].anchor};
    assert(str_eq(links_remove(arena, result->html, records, result->count, removed), html));
    for (uint32_t i = 0; i < result->count; i++)
        assert(removed[i]);
}

static void check(struct arena *arena, const struct link_index *index, Str html,
                  struct link_limits limits)
{
    struct link_article article = {.html = html};
    struct links_result first = links_insert(arena, index, &article, limits);
    assert(first.count + first.present <= limits.max_links || first.count == 0);
    check_undo(arena, html, &first);
    /* An article that has such tags of its own cannot be told apart here. */
    if (str_find(html, STR("/fuzz")) < 0)
        assert(str_eq(outline(arena, first.html, &first), outline(arena, html, NULL)));
    article.html = first.html;
    struct links_result second = links_insert(arena, index, &article, limits);
    assert(second.count == 0 && str_eq(second.html, first.html));
    assert(second.present == first.present + first.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * 1024)
        return 0;
    struct arena *arena = arena_create();
    const struct link_index *index = make_index(arena);
    Str html = str_of((const char *)data, size);
    check(arena, index, html, (struct link_limits){LINKS_PER_ARTICLE_MAX, 0});
    check(arena, index, html, (struct link_limits){3, 2});
    arena_destroy(arena);
    return 0;
}
