#include "content/query/query_qs.h"

#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "base/text/percent.h"

#include <assert.h>

enum { QS_JSON_MAX = 1024 * 1024, QS_JSON_DEPTH = QS_DEPTH_MAX + 6 };

static struct qs_node *add_child(struct arena *arena, struct qs_node *parent, Str name)
{
    struct qs_node *node = arena_new(arena, struct qs_node);
    node->name = name;
    node->index = parent->last == NULL ? 0 : parent->last->index + 1;
    LIST_APPEND(parent->first, parent->last, node);
    return node;
}

static struct qs_node *find_child(const struct qs_node *parent, Str name)
{
    for (struct qs_node *child = parent->first; child != NULL; child = child->next) {
        if (str_eq(child->name, name))
            return child;
    }
    return NULL;
}

/* a[] and repeated names always make a new element. */
static struct qs_node *step(struct arena *arena, struct qs_node *parent, Str name)
{
    struct qs_node *found = name.len == 0 ? NULL : find_child(parent, name);
    return found != NULL ? found : add_child(arena, parent, name);
}

/* A second value for a leaf turns it into a list of both. */
static void set_value(struct arena *arena, struct qs_node *node, Str value)
{
    if (node->is_leaf) {
        node->is_leaf = false;
        struct qs_node *first = add_child(arena, node, STR(""));
        first->is_leaf = true;
        first->value = node->value;
    }
    if (node->first == NULL) {
        node->is_leaf = true;
        node->value = value;
        return;
    }
    struct qs_node *more = add_child(arena, node, STR(""));
    more->is_leaf = true;
    more->value = value;
}

/* Takes "[name]" off the front of *rest. */
static bool next_bracket(Str *rest, Str *ret_name)
{
    if (rest->len == 0 || rest->data[0] != '[')
        return false;
    ptrdiff_t end = str_find_char(*rest, ']');
    if (end < 0)
        return false;
    *ret_name = str_slice(*rest, 1, (size_t)end);
    *rest = str_slice(*rest, (size_t)end + 1, rest->len);
    return true;
}

static void add_parameter(struct arena *arena, struct qs_node *root, Str name, Str value)
{
    ptrdiff_t bracket = str_find_char(name, '[');
    Str rest = bracket > 0 ? str_slice(name, (size_t)bracket, name.len) : STR_NONE;
    Str head = bracket > 0 ? str_slice(name, 0, (size_t)bracket) : name;
    struct qs_node *node = step(arena, root, head);
    Str part;
    for (int depth = 0; depth < QS_DEPTH_MAX && next_bracket(&rest, &part); depth++) {
        if (node->is_leaf) { /* a=1&a[b]=2: what has names wins */
            node->is_leaf = false;
            node->value = STR_NONE;
        }
        node = step(arena, node, part);
    }
    if (rest.len > 0) {
        node->is_leaf = false;
        node = step(arena, node, rest);
    }
    set_value(arena, node, value);
}

Err qs_parse(struct ctx *ctx, Str text, struct qs_node **ret_root)
{
    struct qs_node *root = arena_new(ctx->arena, struct qs_node);
    Str part;
    uint32_t count = 0;
    while (str_next(&text, '&', &part)) {
        if (part.len == 0)
            continue;
        if (++count > QS_PARAMETERS_MAX)
            return fail(ctx, ERR_INVALID_QUERY, "More than %d parameters", QS_PARAMETERS_MAX);
        ptrdiff_t equals = str_find_char(part, '=');
        size_t split = equals < 0 ? part.len : (size_t)equals;
        Str name = percent_decode(ctx->arena, str_slice(part, 0, split), PERCENT_PLUS_IS_SPACE);
        Str value =
            percent_decode(ctx->arena, str_slice(part, split + 1, part.len), PERCENT_PLUS_IS_SPACE);
        if (name.len == 0)
            continue;
        if (str_find_char(name, '\0') >= 0 || str_find_char(value, '\0') >= 0)
            return fail(ctx, ERR_INVALID_QUERY, "NUL is not allowed in a query");
        if (!str_eq(name, STR("__proto__")))
            add_parameter(ctx->arena, root, name, value);
    }
    *ret_root = root;
    return OK;
}

static bool is_index(Str name)
{
    int64_t index;
    return name.len == 0 || (str_to_i64(name, &index) && index >= 0 && index <= QS_INDEX_MAX);
}

static bool is_array(const struct qs_node *node)
{
    for (const struct qs_node *child = node->first; child != NULL; child = child->next) {
        if (!is_index(child->name))
            return false;
    }
    return true;
}

static void write_node(struct json_writer *w, const struct qs_node *node, int depth);

/* Elements in the order of their mention, which is that of their indices in practice. */
static void write_array(struct json_writer *w, const struct qs_node *node, int depth)
{
    json_array_begin(w);
    for (const struct qs_node *child = node->first; child != NULL; child = child->next)
        write_node(w, child, depth + 1);
    json_array_end(w);
}

static void write_object(struct json_writer *w, const struct qs_node *node, int depth)
{
    json_object_begin(w);
    for (const struct qs_node *child = node->first; child != NULL; child = child->next) {
        char digits[16];
        Str name = child->name;
        if (name.len == 0) { /* a[x]=1&a[]=2: the unnamed one is called by its place */
            size_t at = sizeof digits;
            uint32_t index = child->index;
            do {
                digits[--at] = (char)('0' + index % 10);
                index /= 10;
            } while (index > 0);
            name = str_of(digits + at, sizeof digits - at);
        }
        json_key(w, name);
        write_node(w, child, depth + 1);
    }
    json_object_end(w);
}

static void write_node(struct json_writer *w, const struct qs_node *node, int depth)
{
    assert(depth <= QS_JSON_DEPTH);
    if (node->first == NULL)
        json_put_str(w, node->value);
    else if (is_array(node))
        write_array(w, node, depth);
    else
        write_object(w, node, depth);
}

Err qs_json(struct ctx *ctx, const struct qs_node *node, const struct json **ret)
{
    struct buf *text = buf_in_arena(ctx->arena, QS_JSON_MAX);
    struct json_writer w = json_writer(text);
    write_node(&w, node, 0);
    TRY(buf_check(ctx, text, "the query"));
    struct json_limits limits = {QS_JSON_DEPTH, QS_PARAMETERS_MAX};
    if (json_parse(ctx, buf_str(text), limits, ret) == OK)
        return OK;
    return fail(ctx, ERR_INVALID_QUERY, "Invalid value for \"%.*s\"", STR_FMT(node->name));
}
