/*
 * YAML → JSON text, from libyaml's events: without recursion, and without an intermediate tree.
 * Constructs that expand the input or are ambiguous are refused: aliases, anchors, tags, several
 * documents.
 */
#include "text.h"
#include "yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h> /* NOLINT(readability-duplicate-include): libyaml's, not ours */

enum {
    YAML_MAX = 16 * 1024 * 1024,
    JSON_FIRST = 64 * 1024,
    JSON_MAX = 64 * 1024 * 1024,
    DEPTH_MAX = 14,
    DIRECTIVES_MAX = 16,
};

struct level {
    bool is_map;
    bool has_key; /* the key is written, its value follows */
    size_t count;
};

struct reader {
    const spark_api *api;
    spark_call *call;
    spark_str left; /* the part of the YAML that libyaml has not read yet */
    struct text json;
    struct level levels[DEPTH_MAX];
    int depth;
    int documents;
    const char *fault;
};

static void put(struct reader *r, spark_str text)
{
    text_put(&r->json, text);
}

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

/* Writes the comma or colon before the next value. */
static void separate(struct reader *r)
{
    if (r->depth == 0)
        return;
    struct level *level = &r->levels[r->depth - 1];
    if (level->has_key)
        put(r, SPARK_STR(":"));
    else if (level->count > 0)
        put(r, SPARK_STR(","));
    level->count += !level->has_key;
    level->has_key = level->is_map && !level->has_key;
}

static bool is_one_of(spark_str text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (text.len == strlen(*words) && memcmp(text.data, *words, text.len) == 0)
            return true;
    return false;
}

static size_t digits(spark_str text, size_t at)
{
    size_t end = at;
    while (end < text.len && text.data[end] >= '0' && text.data[end] <= '9')
        end++;
    return end - at;
}

/* Numbers in JSON syntax: 0x1f, 1_000 or 007 are strings. */
static bool is_number(spark_str text)
{
    size_t at = text.len > 0 && text.data[0] == '-';
    size_t whole = digits(text, at);
    if (whole == 0 || (whole > 1 && text.data[at] == '0') || text.len > 40)
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

/* Unquoted words of YAML 1.2's core schema; empty: it is a string. */
static spark_str plain(spark_str text)
{
    static const char *const NONE[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const YES[] = {"true", "True", "TRUE", NULL};
    static const char *const NO[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, NONE))
        return SPARK_STR("null");
    if (is_one_of(text, YES))
        return SPARK_STR("true");
    if (is_one_of(text, NO))
        return SPARK_STR("false");
    return is_number(text) ? text : (spark_str){NULL, 0};
}

static bool on_scalar(struct reader *r, const yaml_event_t *event)
{
    spark_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_key(r);
    if (event->data.scalar.anchor != NULL)
        return refuse(r, "anchors are not supported");
    if (event->data.scalar.tag != NULL)
        return refuse(r, "tags are not supported");
    separate(r);
    spark_str word = is_plain ? plain(text) : (spark_str){NULL, 0};
    if (word.len > 0)
        put(r, word);
    else
        text_put_quoted(&r->json, text);
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
    if (r->depth == DEPTH_MAX)
        return refuse(r, "it is nested too deeply");
    separate(r);
    r->levels[r->depth++] = (struct level){.is_map = is_map};
    put(r, is_map ? SPARK_STR("{") : SPARK_STR("["));
    return true;
}

static bool on_close(struct reader *r)
{
    r->depth--;
    put(r, r->levels[r->depth].is_map ? SPARK_STR("}") : SPARK_STR("]"));
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

static spark_status fail_at(struct reader *r, yaml_mark_t mark, const char *fault)
{
    spark_str sentence =
        r->api->format(r->call, "The YAML cannot be read: line %zu, column %zu: %s", mark.line + 1,
                       mark.column + 1, fault);
    return r->api->fail(r->call, SPARK_BAD_INPUT, sentence);
}

/* libyaml reads about 16 KiB at a time, so that one long text or comment does not block the loop
 * either. When the call has ended, this reports the end of the input. */
static int on_read(void *arg, unsigned char *buffer, size_t size, size_t *ret_len)
{
    struct reader *r = arg;
    if (r->json.status == SPARK_OK)
        r->json.status = r->api->breathe(r->call);
    size_t len = r->left.len < size ? r->left.len : size;
    if (r->json.status != SPARK_OK)
        len = 0;
    if (len > 0)
        memcpy(buffer, r->left.data, len);
    r->left = (spark_str){r->left.data + len, r->left.len - len};
    *ret_len = len;
    return 1;
}

static spark_status read_events(struct reader *r, yaml_parser_t *parser)
{
    for (bool is_last = false; !is_last && r->json.status == SPARK_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            if (r->json.status != SPARK_OK)
                return r->json.status;
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
    return SPARK_OK;
}

/* libyaml compares each directive with all previous ones, and has no limit. */
static bool has_many_directives(spark_str yaml)
{
    static const spark_str TAG = SPARK_STR_INIT("%TAG");
    const char *end = yaml.data + yaml.len;
    int count = 0;
    for (const char *at = yaml.data; count <= DIRECTIVES_MAX && at < end; at += TAG.len, count++) {
        at = memmem(at, (size_t)(end - at), TAG.data, TAG.len);
        if (at == NULL)
            return false;
    }
    return count > DIRECTIVES_MAX;
}

spark_status json_of_yaml(const spark_api *api, spark_call *call, spark_str yaml,
                          const spark_json **json)
{
    if (yaml.len > YAML_MAX)
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("The YAML is larger than 16 MiB"));
    if (has_many_directives(yaml))
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("The YAML has more than 16 directives"));
    struct reader reader = {.api = api,
                            .call = call,
                            .left = yaml,
                            .json = text_make(api, call, yaml.len + JSON_FIRST, JSON_MAX)};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return api->fail(call, SPARK_FAILED, SPARK_STR("Out of memory for YAML."));
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&parser, on_read, &reader);
    spark_status status = read_events(&reader, &parser);
    yaml_parser_delete(&parser);
    spark_str text;
    if (status == SPARK_OK)
        status = text_end(&reader.json, SPARK_BAD_INPUT, SPARK_STR("The YAML is too large"), &text);
    if (status != SPARK_OK)
        return status;
    if (text.len == 0)
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("The YAML is empty"));
    return api->json_parse(call, text, json);
}
