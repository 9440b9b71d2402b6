/*
 * YAML, for schemas that people keep under version control. libyaml stays in yaml_read.c.
 *
 * Read is one document without what expands the input or is ambiguous: no aliases, anchors, tags.
 * Words are typed as in the core schema of YAML 1.2. Written is block style; whatever a reader
 * could take for another type is quoted.
 */
#pragma once

#include "base/json/json.h"
#include "base/text/buf.h"

enum { YAML_MAX = 16 * 1024 * 1024, YAML_DEPTH_MAX = 14 };

/* ERR_INVALID_JSON with line and column, ERR_TOO_LARGE, and what json_parse_tree refuses. Takes as
 * long as the text is: not on a loop (io/fiber/json_apart.h). */
Err yaml_parse_tree(struct ctx *ctx, Str yaml, struct json_tree **ret);

/* A value as a node, of which the first line begins here and the others are indented by `depth`
 * steps. Ends with a line break. */
void yaml_put(struct buf *out, const struct json *value, uint32_t depth);
/* "key:" and the value, as a member of an object at `depth`. */
void yaml_put_member(struct buf *out, Str key, const struct json *value, uint32_t depth);
