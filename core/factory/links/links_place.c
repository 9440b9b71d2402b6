#include "base/memory/array.h"
#include "factory/links/links_internal.h"

#include <assert.h>

static enum link_place_kind place_of(Str tag)
{
    static const struct {
        Str tag;
        enum link_place_kind kind;
    } PLACES[] = {
        {STR_INIT("a"), PLACE_LINK},
        {STR_INIT("code"), PLACE_CODE},
        {STR_INIT("pre"), PLACE_PRE},
        {STR_INIT("button"), PLACE_BUTTON},
        {STR_INIT("script"), PLACE_RAW},
        {STR_INIT("style"), PLACE_RAW},
        {STR_INIT("textarea"), PLACE_RAW},
        {STR_INIT("title"), PLACE_RAW},
        {STR_INIT("xmp"), PLACE_RAW},
        {STR_INIT("iframe"), PLACE_RAW},
        {STR_INIT("noembed"), PLACE_RAW},
        {STR_INIT("noframes"), PLACE_RAW},
        {STR_INIT("plaintext"), PLACE_RAW},
        {STR_INIT("select"), PLACE_FORM_CHOICE},
        {STR_INIT("option"), PLACE_FORM_CHOICE},
        {STR_INIT("svg"), PLACE_FOREIGN},
        {STR_INIT("math"), PLACE_FOREIGN},
        {STR_INIT("noscript"), PLACE_OTHER},
        {STR_INIT("template"), PLACE_OTHER},
        {STR_INIT("object"), PLACE_OTHER},
        {STR_INIT("label"), PLACE_OTHER},
    };
    if (html_is_heading(tag))
        return PLACE_HEADING;
    for (size_t i = 0; i < COUNT_OF(PLACES); i++)
        if (str_eq_nocase(tag, PLACES[i].tag))
            return PLACES[i].kind;
    return PLACE_KINDS;
}

/* The scanner returns script and style with their content; "plaintext" never ends. */
static void skip_raw(struct link_place *place, struct html_scan *scan, Str tag)
{
    if (str_eq_nocase(tag, STR("plaintext")))
        place->is_lost = true;
    if (str_eq_nocase(tag, STR("script")) || str_eq_nocase(tag, STR("style")))
        return;
    Str rest = str_slice(scan->html, scan->at, scan->html.len);
    scan->at += html_raw_len(rest, tag);
}

static void open_place(struct link_place *place, enum link_place_kind kind)
{
    if (place->open[kind]++ == 0)
        place->at_tables[kind] = place->tables;
    place->open_all++;
}

/* Browsers ignore an end tag in a different table than its start tag. */
static void close_place(struct link_place *place, enum link_place_kind kind)
{
    if (place->open[kind] == 0)
        return;
    if (place->at_tables[kind] != place->tables)
        place->is_lost = true;
    place->open[kind]--;
    place->open_all--;
}

void link_place_tag(struct link_place *place, struct html_scan *scan, struct html_piece tag)
{
    assert(tag.kind == HTML_TAG);
    if (str_eq_nocase(tag.tag, STR("table"))) {
        if (!tag.is_closing)
            place->tables++;
        else if (place->tables > 0)
            place->tables--;
        return;
    }
    enum link_place_kind kind = place_of(tag.tag);
    bool is_declaration = tag.tag.len == 0 && !str_starts_with(tag.source, STR("<!--"));
    /* Inside svg and math, raw text elements and "<!" are parsed differently. */
    if (place->open[PLACE_FOREIGN] > 0 && (kind == PLACE_RAW || is_declaration))
        place->is_lost = true;
    if (kind == PLACE_KINDS)
        return;
    if (kind == PLACE_RAW) {
        if (!tag.is_closing)
            skip_raw(place, scan, tag.tag);
        return;
    }
    if (tag.is_closing)
        close_place(place, kind);
    else
        open_place(place, kind);
}
