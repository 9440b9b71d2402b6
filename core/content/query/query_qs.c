#include "content/query/query_qs.h"

#include "base/memory/array.h"
#include "base/memory/list.h"
#include "base/text/buf.h"
#include "base/text/percent.h"
#include "base/text/utf8.h"

#include <assert.h>
#include <stdlib.h>

static struct qs_node *add_child(struct arena *arena, struct qs_node *parent, Str name)
{
    assert(!parent->is_leaf); /* a leaf has no children */
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

/* The element that a[][x] is about: the first one, as in the qs library, which merges lists of
 * objects place by place. */
static struct qs_node *first_object(const struct qs_node *list)
{
    struct qs_node *first = list->first;
    bool is_first = first != NULL && (first->name.len == 0 || str_eq(first->name, STR("0")));
    return is_first && !first->is_leaf ? first : NULL;
}

/* a[] at the end always creates a new element. */
static struct qs_node *step(struct arena *arena, struct qs_node *parent, Str name, bool is_last)
{
    struct qs_node *found = NULL;
    if (name.len > 0)
        found = find_child(parent, name);
    else if (!is_last)
        found = first_object(parent);
    return found != NULL ? found : add_child(arena, parent, name);
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

/* A second value for a leaf turns it into a list of both; one beside named children is a name, with
 * the value true. */
static void set_value(struct arena *arena, struct qs_node *node, Str value)
{
    assert(!node->is_leaf || node->first == NULL);
    if (!is_array(node) && value.len == 0)
        return;
    if (!is_array(node)) {
        node = step(arena, node, value, false);
        value = STR("true");
    }
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

/* Names that every object of JavaScript has: the qs library ignores parameters with one of them. */
static bool is_inherited(Str name)
{
    static const Str NAMES[] = {
        STR_INIT("__proto__"),        STR_INIT("constructor"),
        STR_INIT("toString"),         STR_INIT("valueOf"),
        STR_INIT("hasOwnProperty"),   STR_INIT("isPrototypeOf"),
        STR_INIT("toLocaleString"),   STR_INIT("__defineGetter__"),
        STR_INIT("__defineSetter__"), STR_INIT("__lookupGetter__"),
        STR_INIT("__lookupSetter__"), STR_INIT("propertyIsEnumerable"),
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_eq(name, NAMES[i]))
            return true;
    return false;
}

static bool holds_inherited(Str name)
{
    ptrdiff_t bracket = str_find_char(name, '[');
    Str rest = bracket > 0 ? str_slice(name, (size_t)bracket, name.len) : STR_NONE;
    bool is_found = is_inherited(bracket > 0 ? str_slice(name, 0, (size_t)bracket) : name);
    Str part;
    for (int depth = 0; depth < QS_DEPTH_MAX && next_bracket(&rest, &part); depth++)
        is_found |= is_inherited(part);
    return is_found;
}

static void add_parameter(struct arena *arena, struct qs_node *root, Str name, Str value)
{
    assert(name.len > 0);
    ptrdiff_t bracket = str_find_char(name, '[');
    Str rest = bracket > 0 ? str_slice(name, (size_t)bracket, name.len) : STR_NONE;
    Str head = bracket > 0 ? str_slice(name, 0, (size_t)bracket) : name;
    struct qs_node *node = step(arena, root, head, rest.len == 0);
    Str part;
    for (int depth = 0; depth < QS_DEPTH_MAX && next_bracket(&rest, &part); depth++) {
        if (node->is_leaf) { /* a=1&a[b]=2: the named children win */
            node->is_leaf = false;
            node->value = STR_NONE;
        }
        node = step(arena, node, part, rest.len == 0);
    }
    if (rest.len > 0) {
        node->is_leaf = false;
        node = step(arena, node, rest, true);
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
        if (!holds_inherited(name))
            add_parameter(ctx->arena, root, name, value);
    }
    *ret_root = root;
    return OK;
}

/* Replaces each byte that is not valid UTF-8 with U+FFFD. */
static Str repaired(struct arena *arena, Str text)
{
    if (str_is_utf8(text))
        return text;
    struct buf *out = buf_in_arena(arena, SIZE_MAX);
    for (size_t i = 0; i < text.len;) {
        size_t step = utf8_step((const unsigned char *)text.data + i, text.len - i);
        buf_put(out, step == 0 ? STR("\xEF\xBF\xBD") : str_slice(text, i, i + step));
        i += step == 0 ? 1 : step;
    }
    return buf_str(out);
}

static Err value_of(struct ctx *ctx, const struct qs_node *node, struct filter_value *ret);

static int64_t place_of(const struct qs_node *child)
{
    int64_t index;
    return child->name.len > 0 && str_to_i64(child->name, &index) ? index : INT64_MAX;
}

static int by_place(const void *a, const void *b)
{
    const struct qs_node *first = *(const struct qs_node *const *)a;
    const struct qs_node *second = *(const struct qs_node *const *)b;
    int64_t places[] = {place_of(first), place_of(second)};
    if (places[0] != places[1])
        return places[0] < places[1] ? -1 : 1;
    return first->index < second->index ? -1 : 1;
}

/* In the order of the indices, without gaps; elements without an index come last. */
static Err list_of(struct ctx *ctx, const struct qs_node *node, struct filter_value *ret)
{
    assert(node->first != NULL && node->last != NULL);
    uint32_t count = node->last->index + 1;
    struct filter_value *items = arena_array(ctx->arena, struct filter_value, count);
    const struct qs_node **children = arena_array(ctx->arena, const struct qs_node *, count);
    uint32_t i = 0;
    for (const struct qs_node *child = node->first; child != NULL; child = child->next)
        children[i++] = child;
    assert(i == count);
    qsort(children, count, sizeof children[0], by_place);
    for (i = 0; i < count; i++)
        TRY(value_of(ctx, children[i], &items[i]));
    *ret = (struct filter_value){.kind = FILTER_LIST, .items = items, .count = count};
    return OK;
}

static bool has_member(const struct filter *first, Str name)
{
    for (const struct filter *member = first; member != NULL; member = member->next)
        if (str_eq(member->name, name))
            return true;
    return false;
}

static Err members_of(struct ctx *ctx, const struct qs_node *node, struct filter_value *ret)
{
    assert(node->first != NULL);
    struct filter *first = NULL;
    struct filter *last = NULL;
    uint32_t count = 0;
    for (const struct qs_node *child = node->first; child != NULL; child = child->next, count++) {
        /* a[x]=1&a[]=2: the unnamed child is named by its index */
        Str name = child->name.len == 0 ? str_printf(ctx->arena, "%u", child->index)
                                        : repaired(ctx->arena, child->name);
        struct filter_value *value = arena_new(ctx->arena, struct filter_value);
        if (has_member(first, name))
            return fail(ctx, ERR_INVALID_QUERY, "\"%.*s\" is listed twice", STR_FMT(name));
        TRY(value_of(ctx, child, value));
        LIST_APPEND(first, last, filter_member(ctx->arena, name, value));
    }
    *ret = (struct filter_value){.kind = FILTER_MEMBERS, .first = first, .count = count};
    return OK;
}

/* Recursion is limited by QS_DEPTH_MAX. */
static Err value_of(struct ctx *ctx, const struct qs_node *node, struct filter_value *ret)
{
    assert(!node->is_leaf || node->first == NULL);
    if (node->first != NULL)
        return is_array(node) ? list_of(ctx, node, ret) : members_of(ctx, node, ret);
    *ret = filter_text(repaired(ctx->arena, node->value));
    return OK;
}

Err qs_value(struct ctx *ctx, const struct qs_node *node, const struct filter_value **ret)
{
    struct filter_value *value = arena_new(ctx->arena, struct filter_value);
    if (value_of(ctx, node, value) != OK)
        return fail(ctx, ERR_INVALID_QUERY, "Invalid value for \"%.*s\"", STR_FMT(node->name));
    *ret = value;
    return OK;
}
