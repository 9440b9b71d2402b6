#include "factory/links/links_internal.h"

#include <assert.h>

struct remover {
    struct arena *arena;
    Str html;
    const struct link_record *records;
    const Str *tags; /* the start tag of each */
    uint32_t count;
    bool *removed;
};

/* The record of the link with this start tag and this text after it. */
static uint32_t find_record(const struct remover *in, Str tag, Str behind)
{
    for (uint32_t i = 0; i < in->count; i++) {
        Str anchor = in->records[i].anchor;
        if (!in->removed[i] && str_eq(in->tags[i], tag) && str_starts_with(behind, anchor) &&
            str_starts_with(str_slice(behind, anchor.len, behind.len), STR("</a>")))
            return i;
    }
    return in->count;
}

static Str remove_all(const struct remover *in)
{
    struct buf *out = buf_in_arena(in->arena, in->html.len);
    struct html_scan scan = html_scan(in->html);
    size_t kept = 0;
    for (;;) {
        size_t from = scan.at;
        struct html_piece piece = html_next(&scan);
        if (piece.kind == HTML_END)
            break;
        if (piece.kind != HTML_TAG)
            continue;
        struct link_place place = {0};
        link_place_tag(&place, &scan, piece);
        Str behind = str_slice(in->html, from + piece.source.len, in->html.len);
        uint32_t i = find_record(in, piece.source, behind);
        if (i == in->count)
            continue;
        in->removed[i] = true;
        buf_put(out, str_slice(in->html, kept, from));
        buf_put(out, in->records[i].anchor);
        kept = from + piece.source.len + in->records[i].anchor.len + STR("</a>").len;
        scan.at = kept;
    }
    buf_put(out, str_slice(in->html, kept, in->html.len));
    return buf_str(out);
}

Str links_remove(struct arena *arena, Str html, const struct link_record *records, uint32_t count,
                 bool *ret_removed)
{
    Str *tags = arena_array(arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        assert(!ret_removed[i]);
        struct buf *tag = buf_in_arena(arena, records[i].href.len * 6 + 32);
        link_put_tag(tag, records[i].href);
        tags[i] = buf_str(tag);
    }
    struct remover in = {arena, html, records, tags, count, ret_removed};
    return count == 0 ? html : remove_all(&in);
}
