#include "cli/console/plain_text.h"

#include "base/memory/arena.h"
#include "base/memory/array.h"

/* The character and length of an entity like "&amp;" at html[at]; any other byte is itself. */
static char entity_at(Str html, size_t at, size_t *ret_len)
{
    static const struct {
        Str name;
        char c;
    } ENTITIES[] = {{STR_INIT("&amp;"), '&'},  {STR_INIT("&lt;"), '<'},
                    {STR_INIT("&gt;"), '>'},   {STR_INIT("&#39;"), '\''},
                    {STR_INIT("&quot;"), '"'}, {STR_INIT("&nbsp;"), ' '}};
    Str rest = str_slice(html, at, html.len);
    for (size_t i = 0; i < COUNT_OF(ENTITIES); i++) {
        if (!str_starts_with(rest, ENTITIES[i].name))
            continue;
        *ret_len = ENTITIES[i].name.len;
        return ENTITIES[i].c;
    }
    *ret_len = 1;
    return html.data[at];
}

/* Whether the tag ends a line: heading, paragraph, list item or line break. */
static bool is_break(Str tag)
{
    return str_starts_with(tag, STR("</h")) || str_starts_with(tag, STR("</p")) ||
           str_starts_with(tag, STR("</li")) || str_starts_with(tag, STR("<br"));
}

Str plain_text(struct arena *arena, Str html, size_t max)
{
    char *out = arena_alloc_raw(arena, max + 1);
    size_t len = 0, step;
    bool is_tag = false;
    for (size_t i = 0; i < html.len && len < max; i += step) {
        char c = entity_at(html, i, &step);
        bool begins = step == 1 && c == '<';
        bool is_gap = begins || (!is_tag && (c == '\n' || c == ' '));
        char gap = begins && is_break(str_slice(html, i, html.len)) ? '\n' : ' ';
        bool was_tag = is_tag;
        is_tag = begins || (is_tag && !(step == 1 && c == '>'));
        if (is_gap && len > 0 && out[len - 1] == ' ' && gap == '\n')
            out[len - 1] = '\n';
        else if (is_gap && len > 0 && out[len - 1] != ' ' && out[len - 1] != '\n')
            out[len++] = gap;
        else if (!is_gap && !is_tag && !was_tag)
            out[len++] = c;
    }
    return str_cut(str_of(out, len), max);
}
