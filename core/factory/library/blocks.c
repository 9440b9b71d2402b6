#include "base/text/buf.h"
#include "factory/library/library.h"

#include <assert.h>

enum { MARKUP_MAX = 16 * 1024, NAMES_MAX = 4 };

/* Two parts per item, two for each of the other fields, one at the end. */
enum { PARTS_MAX = 2 * (3 * BLOCK_ITEMS_MAX + 4) + 1 };

struct names {
    Str names[NAMES_MAX];
};

static const struct names TITLE = {{STR_INIT("title")}};
static const struct names HOOK = {{STR_INIT("hook"), STR_INIT("hook_generator")}};
static const struct names PAINS = {{STR_INIT("pains"), STR_INIT("universal_pain_points"),
                                    STR_INIT("universal_pains"), STR_INIT("pain_points")}};
static const struct names SOLUTIONS = {{STR_INIT("solutions"), STR_INIT("universal_solutions")}};
static const struct names POINTS = {{STR_INIT("value_points"), STR_INIT("universal_value_points")}};
static const struct names CONTENT = {
    {STR_INIT("spintax"), STR_INIT("spintax_content"), STR_INIT("content")}};
static const struct names ACTION = {{STR_INIT("cta"), STR_INIT("cta_spintax")}};

/* The parts so far, and the pending markup for the next field. */
struct writer {
    struct arena *arena;
    Str *parts;
    uint32_t count;
    struct buf *markup;
    size_t markup_from;
};

static void put_markup(struct writer *w, const char *markup)
{
    buf_put_z(w->markup, markup);
}

static void end_markup(struct writer *w)
{
    Str all = buf_str(w->markup);
    Str fresh = str_slice(all, w->markup_from, all.len);
    if (fresh.len > 0)
        w->parts[w->count++] = str_dup(w->arena, fresh);
    w->markup_from = all.len;
}

/* Turns line breaks of plain text, as editors type it, into <br>; a field with tags has its own
 * layout. */
static Str break_lines(struct arena *arena, Str text)
{
    if (str_find_char(text, '\n') < 0 || str_find_char(text, '<') >= 0)
        return text;
    struct buf *out = buf_in_arena(arena, text.len * 5);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_put(out, STR("<br>"));
        buf_put_char(out, text.data[i]);
    }
    return buf_str(out);
}

static void put_field(struct writer *w, Str text)
{
    end_markup(w);
    assert(w->count < PARTS_MAX);
    w->parts[w->count++] = break_lines(w->arena, text);
}

static const struct json *member(const struct json *data, const struct names *names)
{
    for (uint32_t i = 0; i < NAMES_MAX && names->names[i].len > 0; i++) {
        const struct json *value = json_get(data, names->names[i]);
        if (!json_is_null(value))
            return value;
    }
    return NULL;
}

static Str text_of(const struct json *data, const struct names *names)
{
    const struct json *value = member(data, names);
    return json_kind(value) == JSON_STRING ? str_trim(json_str(value)) : STR_NONE;
}

static void put_text(struct writer *w, const char *before, Str text, const char *after)
{
    if (text.len == 0)
        return;
    put_markup(w, before);
    put_field(w, text);
    put_markup(w, after);
}

static bool is_item(const struct json *item)
{
    return json_kind(item) == JSON_STRING && str_trim(json_str(item)).len > 0;
}

static bool has_items(const struct json *list)
{
    for (uint32_t i = 0; json_kind(list) == JSON_ARRAY && i < json_len(list); i++)
        if (is_item(json_at(list, i)))
            return true;
    return false;
}

static const struct json *list_of(const struct block_row *row, const struct names *names)
{
    const struct json *personal = member(row->personal, names);
    return has_items(personal) ? personal : member(row->data, names);
}

struct list_markup {
    const char *before;
    const char *item;
    const char *item_end;
    const char *after;
};

static void put_list(struct writer *w, const struct json *list, const struct list_markup *markup)
{
    if (!has_items(list))
        return;
    put_markup(w, markup->before);
    for (uint32_t i = 0; i < json_len(list) && i < BLOCK_ITEMS_MAX; i++)
        if (is_item(json_at(list, i)))
            put_text(w, markup->item, str_trim(json_str(json_at(list, i))), markup->item_end);
    put_markup(w, markup->after);
}

static Str first_text(Str a, Str b)
{
    return a.len > 0 ? a : str_trim(b);
}

struct fragment_source block_source(struct arena *arena, const struct block_row *row)
{
    struct writer w = {
        .arena = arena,
        .parts = arena_array(arena, Str, PARTS_MAX + 1),
        .markup = buf_in_arena(arena, MARKUP_MAX),
    };
    put_markup(&w, "<section class=\"content-block\">\n");
    put_text(&w, "<h2>", first_text(text_of(row->data, &TITLE), row->name), "</h2>\n");
    put_text(&w, "<p class=\"lead\">", text_of(row->data, &HOOK), "</p>\n");
    put_list(&w, list_of(row, &PAINS),
             &(struct list_markup){"<ul class=\"pains\">\n", "<li>", "</li>\n", "</ul>\n"});
    put_list(&w, list_of(row, &SOLUTIONS),
             &(struct list_markup){"", "<p class=\"solution\">", "</p>\n", ""});
    put_list(&w, list_of(row, &POINTS),
             &(struct list_markup){"<ul class=\"value-points\">\n", "<li>", "</li>\n", "</ul>\n"});
    put_text(&w, "<div class=\"block-content\">",
             first_text(text_of(row->data, &CONTENT), row->html), "</div>\n");
    put_text(&w, "<div class=\"cta-box\">", text_of(row->data, &ACTION), "</div>\n");
    put_markup(&w, "</section>");
    end_markup(&w);
    return (struct fragment_source){
        .id = row->id,
        .type = row->block_id,
        .parts = w.parts,
        .part_count = w.count,
        .personal = row->personal != NULL ? row->personal_id : (Uuid){{0}},
    };
}
