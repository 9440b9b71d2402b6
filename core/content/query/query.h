/*
 * The query language of Directus 11 as a tree: read from a query string (qs style), from the JSON
 * body of SEARCH, or built in code; not yet checked against a schema.
 */
#pragma once

#include "base/json/json.h"
#include "base/memory/arena.h"
#include "base/system/ctx.h"
#include "base/text/str.h"
#include "content/filter/filter.h"
#include "io/fiber/fiber.h"

/* Whether users or the routes of system collections access the collection. */
enum items_access { ITEMS_USER, ITEMS_SYSTEM };
struct items_target {
    Str collection;
    enum items_access access;
};

enum query_meta { META_TOTAL_COUNT = 1, META_FILTER_COUNT = 2 };

/* export=csv: the rows as a file. The envelope's business: plans do not depend on it. */
enum query_export {
    EXPORT_NONE,
    EXPORT_CSV,
    EXPORT_CSV_UTF8, /* begins with a byte order mark */
    EXPORT_JSON,
    EXPORT_XML,
    EXPORT_YAML,
};

struct query_sort {
    Str path; /* "author.name", "year(date)" */
    bool descending;
};

struct query_aggregate {
    Str function; /* count, countDistinct, sum … */
    Str field;    /* "*" for count */
};

/* alias[name]=field */
struct query_alias {
    Str name;
    Str field;
};

/* deep[name][_limit]=1: a query for the rows below a relation. An invalid one is reported when it
 * is used: `refusal` says why. */
struct query_deep {
    const struct query_deep *next;
    Str name; /* the relation or its alias; "item:headings" */
    const struct query *query;
    bool is_refused;
    Str refusal;
};

struct query {
    const Str *fields; /* dotted paths; count 0: "*" */
    uint32_t field_count;
    const struct filter_value *filter; /* NULL: none */
    const struct query_sort *sort;
    uint32_t sort_count;
    bool has_limit;
    int64_t limit; /* -1: as many as QUERY_LIMIT_MAX allows */
    int64_t offset;
    int64_t page; /* 0: not given */
    Str search;
    uint32_t meta;
    const struct query_aggregate *aggregates;
    uint32_t aggregate_count;
    const Str *group_by;
    uint32_t group_by_count;
    const struct query_deep *deep;
    const struct query_alias *aliases;
    uint32_t alias_count;
    bool has_no_backlinks; /* "*.x" leaves out relations back to where it comes from */
    enum query_export export;
    bool is_unparsed; /* only `text` is set: query_unparsed */
    Str text;         /* of an unparsed query: the query string */
};

const struct query_deep *query_deep_find(const struct query_deep *deep, Str name); /* or NULL */
const struct query_alias *query_alias_find(const struct query *query, Str name);   /* or NULL */

enum { QUERY_DEPTH_MAX = 10, QUERY_FILTER_DEPTH = 24, QUERY_LIST_MAX = 1000 };
enum { QUERY_SEARCH_MAX = 4096 /* bytes: every text column is searched for it */ };

/* ERR_INVALID_QUERY with Directus' messages ("\"limit\" must be a number" …). */
Err query_parse(struct ctx *ctx, Str query_string, struct query *ret);
/* For reads: parsed only if no plan is found by its text; errors are reported then. */
struct query query_unparsed(Str query_string);
Err query_from_json(struct ctx *ctx, const struct json *object, struct query *ret);

/*
 * A query string with its plain values taken out, so that queries that differ only in values share
 * a compiled plan: "filter[at][_lt]=2023-05-01&limit=25" and the same for another day.
 *
 * Plain texts after a simple comparison are taken out, in brackets or in JSON. Null, dynamic
 * variables, lists and unusual spellings stay: they may change the meaning of the query, which then
 * has a plan of its own.
 */

enum { SHAPE_VALUES_MAX = 16, SHAPE_VALUE_LEN_MAX = 1024 };

struct query_shape {
    Str text; /* the query string with a marker for each value */
    const Str *values;
    uint32_t count; /* 0: nothing was taken out, `text` is undefined */
};

struct query_shape query_shape(struct arena *arena, Str query_string);

/*
 * A query without its plain values, independent of its source: the key of its plan. Values below a
 * field or after a simple comparison are lifted out of the filter. Null, variables and lists stay:
 * they may change the meaning of the query.
 */

enum { FINGERPRINT_LITERALS_MAX = 16, FINGERPRINT_MAX = 4096 };

struct query_fingerprint {
    Str text; /* STR_NONE: longer than FINGERPRINT_MAX */
    const struct filter_value *literals[FINGERPRINT_LITERALS_MAX];
    bool is_beside[FINGERPRINT_LITERALS_MAX]; /* directly below the field: {a: 1}, without an
                                                 operator */
    uint32_t count;
};

/* `lifts` false: every value stays in the text. */
void query_fingerprint(struct arena *arena, const struct query *query, bool lifts,
                       struct query_fingerprint *ret);

/*
 * Setting the parameters of a query one by one.
 */

/* Unknown names are ignored, as in Directus. */
Err query_take(struct ctx *ctx, Str name, const struct filter_value *value, struct query *query);

/* "a,b,json(c, d)" → three; commas inside parentheses do not split. Names are trimmed. */
Err query_split(struct ctx *ctx, Str csv, const Str **ret, uint32_t *ret_count);
