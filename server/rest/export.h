/*
 * One format of an export: what it writes at each step of a row. A format sees values, objects and
 * lists; where it is stands in the levels, the innermost last.
 */
#pragma once

#include "base/memory/map.h"
#include "server/rest/rest_export.h"

enum { EXPORT_DEPTH_MAX = 64 };

struct export_level {
    bool is_object;
    uint32_t count; /* children so far */
    uint32_t indent;
    Str own;  /* its name among its siblings; of a list's element, that of the list */
    Str name; /* of the next child */
};

struct rest_export;

enum export_scalar { SCALAR_NULL, SCALAR_BARE /* true, 1.5 */, SCALAR_TEXT };

struct export_format {
    void (*begin)(struct rest_export *to, bool is_list);
    void (*open)(struct rest_export *to, bool is_object); /* the level is the innermost already */
    void (*close)(struct rest_export *to);
    void (*scalar)(struct rest_export *to, enum export_scalar kind, Str text);
    void (*end)(struct rest_export *to);
};
extern const struct export_format EXPORT_FORMAT_CSV;
extern const struct export_format EXPORT_FORMAT_JSON;
extern const struct export_format EXPORT_FORMAT_XML;
extern const struct export_format EXPORT_FORMAT_YAML;

struct export_csv;
struct rest_export {
    struct row_sink sink;
    struct row_visitor visitor;
    struct ctx *ctx;
    struct reply *reply;
    Str collection;
    enum query_export kind;
    struct arena *scratch; /* of one row */
    struct buf *out;
    const struct export_format *format;
    struct export_level levels[EXPORT_DEPTH_MAX];
    uint32_t depth;
    bool is_too_deep;
    struct export_csv *csv;
};

static inline struct export_level *export_top(struct rest_export *to)
{
    return to->depth == 0 ? NULL : &to->levels[to->depth - 1];
}
/* Calls the format for one more child. */
void export_open(struct rest_export *to, bool is_object);
void export_close(struct rest_export *to);
void export_name(struct rest_export *to, Str name);
void export_scalar(struct rest_export *to, enum export_scalar kind, Str text);

/* A text as YAML writes it, in lines that continue at `indent`; export_yaml_text.c. */
void yaml_put_text(struct buf *out, Str text, uint32_t indent, bool is_key);
