/*
 * The key of a plan: everything in a query that its SQL depends on. Each part is prefixed with its
 * length or count, so that different queries have different texts.
 */
#include "content/query/query.h"

#include <assert.h>

enum { FIRST_ROOM = 512, LITERAL_LEN_MAX = 1024 };

struct printer {
    struct buf *out;
    bool lifts;
    struct query_fingerprint *ret;
};

static void put_count(struct printer *p, uint64_t count)
{
    while (count >= 0x80) {
        buf_put_char(p->out, (char)(count | 0x80));
        count >>= 7;
    }
    buf_put_char(p->out, (char)count);
}

static void put_text(struct printer *p, Str text)
{
    put_count(p, text.len);
    buf_put(p->out, text);
}

static void put_texts(struct printer *p, const Str *list, uint32_t count)
{
    assert(count == 0 || list != NULL);
    put_count(p, count);
    for (uint32_t i = 0; i < count; i++)
        put_text(p, list[i]);
}

static bool is_plain(const struct filter_value *value)
{
    return filter_is_scalar(value) && value->dynamic == DYNAMIC_NONE && value->text.len > 0 &&
           value->text.len <= LITERAL_LEN_MAX && !filter_means_null(value);
}

static bool lift(struct printer *p, const struct filter *member)
{
    assert(p->ret->count <= FINGERPRINT_LITERALS_MAX);
    struct query_fingerprint *ret = p->ret;
    bool is_comparison = member->op != NULL && member->op->meaning == MEANS_COMPARE;
    bool is_beside = member->kind == FILTER_FIELD;
    if (!p->lifts || !(is_comparison || is_beside) || !is_plain(member->value) ||
        ret->count == FINGERPRINT_LITERALS_MAX)
        return false;
    ret->is_beside[ret->count] = is_beside;
    ret->literals[ret->count++] = member->value;
    return true;
}

/* Recursion is limited by the depth of the filter. */
static void put_value(struct printer *p, const struct filter_value *value)
{
    assert(value != NULL);
    buf_put_char(p->out, (char)('a' + value->kind));
    switch (value->kind) {
    case FILTER_LIST:
        put_count(p, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            put_value(p, &value->items[i]);
        break;
    case FILTER_MEMBERS:
        put_count(p, value->count);
        for (const struct filter *member = value->first; member != NULL; member = member->next) {
            put_text(p, member->name);
            if (lift(p, member))
                buf_put_char(p->out, '?');
            else
                put_value(p, member->value);
        }
        break;
    default:
        buf_put_char(p->out, (char)('a' + value->dynamic));
        put_text(p, value->text);
    }
}

static void put_rows(struct printer *p, const struct query *query)
{
    buf_put_char(p->out, query->filter == NULL ? '-' : '+');
    if (query->filter != NULL)
        put_value(p, query->filter);
    put_count(p, query->sort_count);
    for (uint32_t i = 0; i < query->sort_count; i++) {
        buf_put_char(p->out, query->sort[i].descending ? '-' : '+');
        put_text(p, query->sort[i].path);
    }
    buf_put_char(p->out, query->has_limit ? '+' : '-');
    put_count(p, (uint64_t)query->limit);
    put_count(p, (uint64_t)query->offset);
    put_count(p, (uint64_t)query->page);
    put_text(p, query->search);
    put_count(p, query->meta);
}

/* Recursion is limited by the depth of the relations. */
static void put_query(struct printer *p, const struct query *query)
{
    assert(!query->is_unparsed);
    buf_put_char(p->out, query->has_no_backlinks ? 'b' : '-');
    put_texts(p, query->fields, query->field_count);
    put_rows(p, query);
    put_count(p, query->aggregate_count);
    for (uint32_t i = 0; i < query->aggregate_count; i++) {
        put_text(p, query->aggregates[i].function);
        put_text(p, query->aggregates[i].field);
    }
    put_texts(p, query->group_by, query->group_by_count);
    put_count(p, query->alias_count);
    for (uint32_t i = 0; i < query->alias_count; i++) {
        put_text(p, query->aliases[i].name);
        put_text(p, query->aliases[i].field);
    }
    struct printer below = {.out = p->out, .ret = p->ret};
    for (const struct query_deep *deep = query->deep; deep != NULL; deep = deep->next) {
        buf_put_char(p->out, deep->is_refused ? '!' : '/');
        put_text(p, deep->name);
        put_query(&below, deep->query);
    }
    buf_put_char(p->out, '.');
}

void query_fingerprint(struct arena *arena, const struct query *query, bool lifts,
                       struct query_fingerprint *ret)
{
    assert(query != NULL && !query->is_unparsed && ret != NULL);
    *ret = (struct query_fingerprint){0};
    struct printer p = {
        .out = buf_in_arena_from(arena, FIRST_ROOM, FINGERPRINT_MAX), .lifts = lifts, .ret = ret};
    put_query(&p, query);
    ret->text = p.out->is_full ? STR_NONE : buf_str(p.out);
    assert(ret->count <= FINGERPRINT_LITERALS_MAX);
}
