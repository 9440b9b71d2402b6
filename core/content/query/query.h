/*
 * The query language of Directus 11 as a tree: parsed from a query string (qs style) or from the
 * JSON body of SEARCH, not yet checked against a schema.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"

enum query_meta { META_TOTAL_COUNT = 1, META_FILTER_COUNT = 2 };

struct query_sort {
    Str path; /* "author.name", "year(date)" */
    bool descending;
};

struct query_aggregate {
    Str function; /* count, countDistinct, sum … */
    Str field;    /* "*" for count */
};

struct query {
    const Str *fields; /* dotted paths; count 0: "*" */
    uint32_t field_count;
    const struct json *filter; /* NULL: none */
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
    const struct json *deep;  /* NULL: none */
    const struct json *alias; /* NULL: none */
    Str text; /* the raw query string: the key of the plan cache. Who changes a parsed query, or
               * makes one by hand, sets STR_NONE: then nothing is cached. Empty but not NULL: no
               * query. */
    bool is_unparsed; /* only `text` is there yet: query_unparsed */
};
/* The query of a request without one: cached like any other. */
#define QUERY_NONE ((struct query){.text = STR("")})

enum { QUERY_DEPTH_MAX = 10, QUERY_FILTER_DEPTH = 24, QUERY_LIST_MAX = 1000 };
enum { QUERY_SEARCH_MAX = 4096 /* bytes: it is looked for in every column of text */ };

/* ERR_INVALID_QUERY with Directus' sentences ("\"limit\" must be a number" …). */
Err query_parse(struct ctx *ctx, Str query_string, struct query *ret);
/* For reads: parsed when no plan is found by its shape; what is wrong with it comes to light then.
 */
struct query query_unparsed(Str query_string);
Err query_from_json(struct ctx *ctx, const struct json *object, struct query *ret);
