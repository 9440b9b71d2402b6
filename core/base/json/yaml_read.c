/*
 * YAML → JSON text, from libyaml's events: without recursion, and without a tree in between.
 */
#include "base/json/json_writer.h"
#include "base/json/yaml.h"

#include <assert.h>
#include <string.h>
#include <yaml.h> /* NOLINT(readability-duplicate-include): libyaml's, not ours */

enum { JSON_MAX = 64 * 1024 * 1024, DIRECTIVES_MAX = 16, NUMBER_MAX = 40 };

struct level {
    bool is_map;
    bool has_key; /* the key is written, its value follows */
    uint32_t count;
};

struct reader {
    struct ctx *ctx;
    struct buf json;
    struct level levels[YAML_DEPTH_MAX];
    uint32_t depth;
    uint32_t documents;
    const char *fault;
};

static bool refuse(struct reader *r, const char *fault)
{
    r->fault = fault;
    return false;
}

static bool is_key(const struct reader *r)
{
    const struct level *level = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
    return level != NULL && level->is_map && !level->has_key;
}

/* The comma or colon before the next value. */
static void separate(struct reader *r)
{
    if (r->depth == 0)
        return;
    struct level *level = &r->levels[r->depth - 1];
    if (level->has_key)
        buf_put_char(&r->json, ':');
    else if (level->count > 0)
        buf_put_char(&r->json, ',');
    level->count += !level->has_key;
    level->has_key = level->is_map && !level->has_key;
}

static size_t digits(Str text, size_t at)
{
    size_t end = at;
    while (end < text.len && text.data[end] >= '0' && text.data[end] <= '9')
        end++;
    return end - at;
}

/* Numbers as JSON writes them: 0x1f, 1_000 and 007 are strings. */
static bool is_number(Str text)
{
    size_t at = text.len > 0 && text.data[0] == '-';
    size_t whole = digits(text, at);
    if (whole == 0 || (whole > 1 && text.data[at] == '0') || text.len > NUMBER_MAX)
        return false;
    at += whole;
    if (at < text.len && text.data[at] == '.') {
        size_t part = digits(text, at + 1);
        if (part == 0)
            return false;
        at += 1 + part;
    }
    if (at < text.len && (text.data[at] | 0x20) == 'e') {
        bool has_sign = at + 1 < text.len && (text.data[at + 1] == '-' || text.data[at + 1] == '+');
        at += has_sign ? 2 : 1;
        size_t part = digits(text, at);
        if (part == 0)
            return false;
        at += part;
    }
    return at == text.len;
}

static bool is_one_of(Str text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq(text, str_from_z(*words)))
            return true;
    return false;
}

/* Unquoted words of YAML 1.2's core schema; empty: it is a string. */
static Str plain(Str text)
{
    static const char *const NONE[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const YES[] = {"true", "True", "TRUE", NULL};
    static const char *const NO[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, NONE))
        return STR("null");
    if (is_one_of(text, YES))
        return STR("true");
    if (is_one_of(text, NO))
        return STR("false");
    return is_number(text) ? text : STR_NONE;
}

static bool on_scalar(struct reader *r, const yaml_event_t *event)
{
    Str text = str_of((const char *)event->data.scalar.value, event->data.scalar.length);
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_key(r);
    if (event->data.scalar.anchor != NULL)
        return refuse(r, "anchors are not supported");
    if (event->data.scalar.tag != NULL)
        return refuse(r, "tags are not supported");
    if (is_key(r) && str_eq(text, STR("<<")) && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return refuse(r, "merge keys are not supported");
    separate(r);
    Str word = is_plain ? plain(text) : STR_NONE;
    if (word.len > 0) {
        buf_put(&r->json, word);
        return true;
    }
    buf_put_char(&r->json, '"');
    json_escape(&r->json, text);
    buf_put_char(&r->json, '"');
    return true;
}

static bool on_open(struct reader *r, bool is_map, const yaml_char_t *anchor,
                    const yaml_char_t *tag)
{
    if (anchor != NULL)
        return refuse(r, "anchors are not supported");
    if (tag != NULL)
        return refuse(r, "tags are not supported");
    if (is_key(r))
        return refuse(r, "a key must be a word");
    if (r->depth == YAML_DEPTH_MAX)
        return refuse(r, "it is nested too deeply");
    separate(r);
    r->levels[r->depth++] = (struct level){.is_map = is_map};
    buf_put_char(&r->json, is_map ? '{' : '[');
    return true;
}

static bool on_close(struct reader *r)
{
    assert(r->depth > 0);
    r->depth--;
    buf_put_char(&r->json, r->levels[r->depth].is_map ? '}' : ']');
    return true;
}

static bool on_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++r->documents == 1 || refuse(r, "there is more than one document");
    case YAML_ALIAS_EVENT:
        return refuse(r, "aliases are not supported");
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, false, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, true, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(r);
    default:
        return true;
    }
}

static Err fail_at(struct reader *r, yaml_mark_t mark, const char *fault)
{
    return fail(r->ctx, ERR_INVALID_JSON, "The YAML cannot be read: line %zu, column %zu: %s",
                mark.line + 1, mark.column + 1, fault);
}

static Err read_events(struct reader *r, yaml_parser_t *parser)
{
    for (bool is_last = false; !is_last && !r->json.is_full;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            yaml_mark_t mark = parser->problem_mark.line > 0 ? parser->problem_mark : parser->mark;
            return fail_at(r, mark, parser->problem != NULL ? parser->problem : "it is malformed");
        }
        is_last = event.type == YAML_STREAM_END_EVENT;
        yaml_mark_t mark = event.start_mark;
        bool is_fine = on_event(r, &event);
        yaml_event_delete(&event);
        if (!is_fine)
            return fail_at(r, mark, r->fault);
    }
    return OK;
}

/* libyaml compares each directive with all before it, and has no limit. */
static bool has_many_directives(Str yaml)
{
    static const Str TAG = STR_INIT("%TAG");
    const char *end = yaml.data + yaml.len;
    int count = 0;
    for (const char *at = yaml.data; count <= DIRECTIVES_MAX && at < end; at += TAG.len, count++) {
        at = memmem(at, (size_t)(end - at), TAG.data, TAG.len);
        if (at == NULL)
            return false;
    }
    return count > DIRECTIVES_MAX;
}

static Err read_json(struct reader *r, Str yaml)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail(r->ctx, ERR_UNAVAILABLE, "There is no memory for the YAML.");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.data, yaml.len);
    Err err = read_events(r, &parser);
    yaml_parser_delete(&parser);
    TRY(err);
    TRY(buf_check(r->ctx, &r->json, "The YAML"));
    return r->json.len > 0 ? OK : fail(r->ctx, ERR_INVALID_JSON, "The YAML is empty");
}

Err yaml_parse_tree(struct ctx *ctx, Str yaml, struct json_tree **ret)
{
    if (yaml.len > YAML_MAX)
        return fail(ctx, ERR_TOO_LARGE, "The YAML is larger than 16 MiB");
    if (yaml.len == 0)
        return fail(ctx, ERR_INVALID_JSON, "The YAML is empty");
    if (has_many_directives(yaml))
        return fail(ctx, ERR_INVALID_JSON, "The YAML has more than 16 directives");
    struct reader reader = {.ctx = ctx};
    buf_init(&reader.json, JSON_MAX);
    Err err = read_json(&reader, yaml);
    if (err == OK)
        err = json_parse_tree(ctx, buf_str(&reader.json), JSON_LIMITS_DEFAULT, ret);
    buf_finish(&reader.json);
    return err;
}
