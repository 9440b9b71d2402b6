#include "yaml.h"

#include "text.h"

#include <string.h>

enum { FIRST_SIZE = 64 * 1024, TEXT_MAX = 32 * 1024 * 1024, DEPTH_MAX = 20, PLAIN_MAX = 200 };

static void indent(struct text *w, int depth)
{
    for (int i = 0; i < depth; i++)
        text_put(w, SPARK_STR("  "));
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Words that YAML 1.1 readers interpret as another type, in any case. */
static bool is_reserved(spark_str text)
{
    static const char *const WORDS[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n",   NULL};
    for (int i = 0; WORDS[i] != NULL; i++) {
        size_t len = strlen(WORDS[i]);
        bool is_same = text.len == len;
        for (size_t k = 0; k < len && is_same; k++)
            is_same = (text.data[k] | 0x20) == WORDS[i][k];
        if (is_same)
            return true;
    }
    return false;
}

/* Unquoted only if it is unambiguous for every reader. */
static bool is_plain(spark_str text)
{
    if (text.len == 0 || text.len > PLAIN_MAX || !is_letter(text.data[0]) || is_reserved(text))
        return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];
        bool is_space = c == ' ' && i + 1 < text.len;
        if (!is_letter(c) && !(c >= '0' && c <= '9') && !is_space && c != '-' && c != '.' &&
            c != '/')
            return false;
    }
    return true;
}

/* The double quotes of YAML are a superset of JSON's. */
static void put_string(struct text *w, spark_str text)
{
    if (is_plain(text))
        text_put(w, text);
    else
        text_put_quoted(w, text);
}

static bool is_block(const struct text *w, const spark_json *value)
{
    spark_json_kind kind = w->api->json_kind(value);
    return (kind == SPARK_JSON_OBJECT || kind == SPARK_JSON_ARRAY) &&
           w->api->json_length(value) > 0;
}

static void put_scalar(struct text *w, const spark_json *value)
{
    if (w->api->json_kind(value) == SPARK_JSON_STRING)
        put_string(w, w->api->json_string(value));
    else
        text_put(w, w->api->json_text(w->call, value)); /* numbers, words, [] and {} */
}

static void put_node(struct text *w, const spark_json *value, int depth);

/* After "key:": a scalar on the same line, a block below. */
static void put_member(struct text *w, const spark_member *member, int depth)
{
    put_string(w, member->key);
    text_put(w, SPARK_STR(":"));
    if (is_block(w, member->value)) {
        text_put(w, SPARK_STR("\n"));
        indent(w, depth + 1);
        put_node(w, member->value, depth + 1);
        return;
    }
    text_put(w, SPARK_STR(" "));
    put_scalar(w, member->value);
    text_put(w, SPARK_STR("\n"));
}

static void put_object(struct text *w, const spark_json *object, int depth)
{
    bool is_first = true;
    for (spark_member m = {.object = object}; w->api->json_next(&m); is_first = false) {
        if (!is_first)
            indent(w, depth);
        put_member(w, &m, depth);
    }
}

static void put_array(struct text *w, const spark_json *array, int depth)
{
    for (size_t i = 0; i < w->api->json_length(array); i++) {
        const spark_json *value = w->api->json_at(array, i);
        if (i > 0)
            indent(w, depth);
        text_put(w, SPARK_STR("- "));
        if (is_block(w, value)) {
            put_node(w, value, depth + 1);
            continue;
        }
        put_scalar(w, value);
        text_put(w, SPARK_STR("\n"));
    }
}

/* Starts at the current position. The host parses no JSON deeper than 16 levels. */
static void put_node(struct text *w, const spark_json *value, int depth)
{
    if (depth > DEPTH_MAX)
        w->is_full = true;
    else if (w->api->json_kind(value) == SPARK_JSON_OBJECT)
        put_object(w, value, depth);
    else
        put_array(w, value, depth);
}

spark_status yaml_of_json(const spark_api *api, spark_call *call, const spark_json *json,
                          spark_str *ret)
{
    struct text w = text_make(api, call, FIRST_SIZE, TEXT_MAX);
    if (is_block(&w, json)) {
        put_node(&w, json, 0);
    } else {
        put_scalar(&w, json);
        text_put(&w, SPARK_STR("\n"));
    }
    return text_end(&w, SPARK_FAILED, SPARK_STR("The schema is too large for one answer."), ret);
}
