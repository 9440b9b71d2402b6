#include "base/system/ctx.h"
#include "base/text/buf.h"
#include "factory/svg/internal.h"

#include <assert.h>
#include <expat.h>

#define SVG_NAMESPACE "http://www.w3.org/2000/svg"
#define XLINK_NAMESPACE "http://www.w3.org/1999/xlink"
#define XML_NAMESPACE "http://www.w3.org/XML/1998/namespace"
enum { SEPARATOR = '|', SENTENCE_NAME_MAX = 60 };

struct open_element {
    Str name;
    Str x; /* x of the lines of a title; STR_NONE: not set */
};

struct cleaner {
    struct arena *arena;
    XML_Parser parser;
    const struct svg_template *template_; /* NULL: tokens are not replaced */
    const struct svg_texts *texts;
    struct buf *out;
    struct buf *text; /* text since the last tag: expat delivers it in pieces */
    struct open_element open[SVG_DEPTH_MAX];
    uint32_t depth;
    uint32_t elements;
    uint32_t uses;
    Str refused;
};

static void refuse(struct cleaner *c, const char *format, Str name, const char *why)
{
    if (c->refused.len > 0)
        return;
    Str shown = str_slice(name, 0, name.len < SENTENCE_NAME_MAX ? name.len : SENTENCE_NAME_MAX);
    Str what = str_printf(c->arena, format, STR_FMT(shown), why);
    c->refused = str_printf(c->arena, "Line %lu: %.*s.",
                            (unsigned long)XML_GetCurrentLineNumber(c->parser), STR_FMT(what));
    (void)XML_StopParser(c->parser, XML_FALSE);
}

/* "uri|name" → name as in svg_names.def; false for an unknown namespace. */
static bool local_name(const char *full, bool is_attribute, Str *ret)
{
    Str name = str_from_z(full);
    ptrdiff_t end = str_find_char(name, SEPARATOR);
    *ret = name;
    if (end < 0)
        return true;
    Str space = str_slice(name, 0, (size_t)end);
    *ret = str_slice(name, (size_t)end + 1, name.len);
    if (!is_attribute)
        return str_eq(space, STR(SVG_NAMESPACE));
    if (str_eq(space, STR(XLINK_NAMESPACE)))
        return str_eq(*ret, STR("href"));
    bool is_space = str_eq(*ret, STR("space"));
    bool is_known = str_eq(space, STR(XML_NAMESPACE)) && (is_space || str_eq(*ret, STR("lang")));
    if (is_known)
        *ret = is_space ? STR("xml:space") : STR("xml:lang");
    return is_known;
}

/* Text */

static Str line_start(const struct cleaner *c)
{
    for (uint32_t i = c->depth; i-- > 0;)
        if (c->open[i].x.len > 0)
            return c->open[i].x;
    return STR("0");
}

/* Centres the lines vertically on the position of the text. */
static void put_title(struct cleaner *c, Str title)
{
    Str lines[SVG_LINES_MAX];
    uint32_t count = svg_wrap(c->arena, title, lines);
    if (count == 1) {
        svg_put_text(c->out, lines[0]);
        return;
    }
    int size = c->template_->title_size;
    for (uint32_t i = 0; i < count; i++) {
        int dy = i == 0 ? -(int)(count - 1) * size * 6 / 10 : size * 12 / 10;
        buf_put(c->out, STR("<tspan x=\""));
        svg_put_text(c->out, line_start(c));
        buf_printf(c->out, "\" dy=\"%d\">", dy);
        svg_put_text(c->out, lines[i]);
        buf_put(c->out, STR("</tspan>"));
    }
}

static void end_text(struct cleaner *c)
{
    Str text = buf_str(c->text);
    bool is_shown = c->depth > 0 && svg_holds_text(c->open[c->depth - 1].name);
    if (text.len > 0 && is_shown) {
        Str element = c->open[c->depth - 1].name;
        bool has_title = false;
        text = str_dup(c->arena, text);
        if (c->template_ != NULL)
            text = svg_replace(c->arena, text, c->template_, c->texts, &has_title);
        if (has_title && (str_eq(element, STR("text")) || str_eq(element, STR("tspan"))))
            put_title(c, text);
        else
            svg_put_text(c->out, text);
    }
    buf_clear(c->text);
}

static void on_text(void *arg, const XML_Char *data, int len)
{
    struct cleaner *c = arg;
    buf_put(c->text, str_of(data, (size_t)len));
}

/* Elements */

static void put_attribute(struct cleaner *c, Str name, Str value)
{
    buf_put_char(c->out, ' ');
    buf_put(c->out, name);
    buf_put(c->out, STR("=\""));
    svg_put_text(c->out, value);
    buf_put_char(c->out, '"');
}

static bool take_attribute(struct cleaner *c, struct open_element *element, const char *full,
                           const char *text)
{
    Str name;
    const char *why = "";
    if (!local_name(full, true, &name) || !svg_allows_attribute(name)) {
        refuse(c, "a picture may not have the attribute \"%.*s\"%s", name, why);
        return false;
    }
    Str value = str_from_z(text);
    if (c->template_ != NULL)
        value = svg_replace(c->arena, value, c->template_, c->texts, NULL);
    if (!svg_allows_value(element->name, name, value, &why)) {
        refuse(c, "the attribute \"%.*s\" %s", name, why);
        return false;
    }
    put_attribute(c, name, value);
    if (str_eq(name, STR("x")))
        element->x = str_dup(c->arena, value);
    return true;
}

/* xlink:href is written as href; if both exist, the plain one wins. */
static bool is_repeated(const char **attributes, size_t at)
{
    Str name;
    bool is_known = local_name(attributes[at], true, &name);
    bool is_plain = strchr(attributes[at], SEPARATOR) == NULL;
    if (!is_known || is_plain || !str_eq(name, STR("href")))
        return false;
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (strcmp(attributes[i], "href") == 0)
            return true;
    return false;
}

static bool is_within_limits(struct cleaner *c, Str name)
{
    bool is_root = c->elements == 0;
    c->elements++;
    c->uses += str_eq(name, STR("use")) ? 1 : 0;
    if (is_root && !str_eq(name, STR("svg")))
        refuse(c, "a picture begins with <svg>, not with <%.*s>%s", name, "");
    else if (c->depth == SVG_DEPTH_MAX || c->elements > SVG_ELEMENTS_MAX || c->uses > SVG_USES_MAX)
        refuse(c, "<%.*s> is one element too many, or too deep%s", name, "");
    return c->refused.len == 0;
}

static void on_start(void *arg, const XML_Char *full, const XML_Char **attributes)
{
    struct cleaner *c = arg;
    end_text(c);
    Str name;
    if (!local_name(full, false, &name) || !svg_allows_element(name)) {
        refuse(c, "a picture may not have the element <%.*s>%s", name, "");
        return;
    }
    if (!is_within_limits(c, name))
        return;
    struct open_element *element = &c->open[c->depth];
    *element = (struct open_element){.name = str_dup(c->arena, name)};
    buf_put_char(c->out, '<');
    buf_put(c->out, name);
    if (c->depth == 0)
        put_attribute(c, STR("xmlns"), STR(SVG_NAMESPACE));
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (!is_repeated(attributes, i) &&
            !take_attribute(c, element, attributes[i], attributes[i + 1]))
            return;
    buf_put_char(c->out, '>');
    c->depth++;
}

static void on_end(void *arg, const XML_Char *full)
{
    (void)full;
    struct cleaner *c = arg;
    if (c->refused.len > 0)
        return; /* expat reports the end of an empty element even if its start stopped the parser */
    end_text(c);
    assert(c->depth > 0);
    c->depth--;
    buf_put(c->out, STR("</"));
    buf_put(c->out, c->open[c->depth].name);
    buf_put_char(c->out, '>');
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_internal)
{
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    refuse(arg, "a picture may not have a document type (%.*s)%s", str_from_z(name), "");
}

static void on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
    (void)data;
    refuse(arg, "a picture may not have a processing instruction (%.*s)%s", str_from_z(target), "");
}

/* The document */

static void set_handlers(struct cleaner *c)
{
    XML_SetUserData(c->parser, c);
    XML_SetElementHandler(c->parser, on_start, on_end);
    XML_SetCharacterDataHandler(c->parser, on_text);
    XML_SetStartDoctypeDeclHandler(c->parser, on_doctype);
    XML_SetProcessingInstructionHandler(c->parser, on_instruction);
}

static void run(struct cleaner *c, Str source)
{
    enum XML_Status status = XML_Parse(c->parser, source.data, (int)source.len, 1);
    if (c->refused.len > 0 || status == XML_STATUS_OK)
        return;
    const char *why = XML_ErrorString(XML_GetErrorCode(c->parser));
    refuse(c, "this is not XML%.*s: %s", STR(""), why);
}

bool svg_clean(struct arena *arena, Str source, const struct svg_template *template_,
               const struct svg_texts *texts, Str *ret, Str *ret_refused)
{
    assert((template_ == NULL) == (texts == NULL));
    *ret = STR_NONE;
    *ret_refused = STR_NONE;
    if (source.len > SVG_SOURCE_MAX) {
        *ret_refused = str_printf(arena, "A picture may have %d bytes.", SVG_SOURCE_MAX);
        return false;
    }
    struct cleaner *c = arena_new(arena, struct cleaner);
    *c = (struct cleaner){
        .arena = arena,
        .parser = XML_ParserCreateNS("UTF-8", SEPARATOR),
        .template_ = template_,
        .texts = texts,
        .out = buf_in_arena(arena, SVG_RESULT_MAX),
        .text = buf_in_arena(arena, SVG_SOURCE_MAX),
    };
    if (c->parser == NULL)
        abort();
    set_handlers(c);
    run(c, source);
    XML_ParserFree(c->parser);
    if (c->refused.len == 0 && c->out->is_full)
        c->refused = str_printf(arena, "The picture is larger than %d bytes.", SVG_RESULT_MAX);
    *ret_refused = c->refused;
    *ret = c->refused.len == 0 ? buf_str(c->out) : STR_NONE;
    return c->refused.len == 0;
}

Err svg_check(struct ctx *ctx, Str source)
{
    Str clean;
    Str refused;
    if (svg_clean(ctx->arena, source, NULL, NULL, &clean, &refused))
        return OK;
    return fail_also(ctx, ERR_FAILED_VALIDATION, "%.*s", STR_FMT(refused));
}
