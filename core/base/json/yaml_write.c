#include "base/json/json_writer.h"
#include "base/json/yaml.h"

#include <assert.h>

enum { PLAIN_MAX = 200, DEPTH_MAX = JSON_DEPTH_MAX + 4 };

static void indent(struct buf *out, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        buf_put_z(out, "  ");
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Words that YAML 1.1 readers take for another type, in any case. */
static bool is_reserved(Str text)
{
    static const char *const WORDS[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n",   NULL};
    for (int i = 0; WORDS[i] != NULL; i++)
        if (str_eq_nocase(text, str_from_z(WORDS[i])))
            return true;
    return false;
}

/* Unquoted only if every reader agrees. */
static bool is_plain(Str text)
{
    if (text.len == 0 || text.len > PLAIN_MAX || !is_letter(text.data[0]) || is_reserved(text))
        return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];
        bool is_space = c == ' ' && i + 1 < text.len;
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter(c) && !is_digit && !is_space && c != '-' && c != '.' && c != '/')
            return false;
    }
    return true;
}

/* The double quotes of YAML are a superset of JSON's. */
static void put_string(struct buf *out, Str text)
{
    if (is_plain(text)) {
        buf_put(out, text);
        return;
    }
    buf_put_char(out, '"');
    json_escape(out, text);
    buf_put_char(out, '"');
}

static bool is_block(const struct json *value)
{
    enum json_kind kind = json_kind(value);
    return (kind == JSON_OBJECT || kind == JSON_ARRAY) && json_len(value) > 0;
}

static void put_scalar(struct buf *out, const struct json *value)
{
    if (json_kind(value) == JSON_STRING) {
        put_string(out, json_str(value));
        return;
    }
    struct json_writer w = json_writer(out); /* numbers, words, [] and {} */
    json_put_value(&w, value);
}

void yaml_put_member(struct buf *out, Str key, const struct json *value, uint32_t depth)
{
    assert(depth <= DEPTH_MAX);
    put_string(out, key);
    buf_put_char(out, ':');
    if (is_block(value)) {
        buf_put_char(out, '\n');
        indent(out, depth + 1);
        yaml_put(out, value, depth + 1);
        return;
    }
    buf_put_char(out, ' ');
    put_scalar(out, value);
    buf_put_char(out, '\n');
}

static void put_array(struct buf *out, const struct json *array, uint32_t depth)
{
    for (uint32_t i = 0; i < json_len(array); i++) {
        if (i > 0)
            indent(out, depth);
        buf_put_z(out, "- ");
        yaml_put(out, json_at(array, i), depth + 1);
    }
}

void yaml_put(struct buf *out, const struct json *value, uint32_t depth)
{
    assert(depth <= DEPTH_MAX);
    if (!is_block(value)) {
        put_scalar(out, value);
        buf_put_char(out, '\n');
        return;
    }
    if (json_kind(value) == JSON_ARRAY) {
        put_array(out, value, depth);
        return;
    }
    bool is_first = true;
    for (struct json_iter it = json_iter(value); json_next(&it); is_first = false) {
        if (!is_first)
            indent(out, depth);
        yaml_put_member(out, it.key, it.value, depth);
    }
}
