/*
 * The memory of JSON trees. jansson calls malloc for each value; freeing a tree of a million values
 * would take as long as reading it, and fragment the heap. Here a tree has its own blocks, which
 * are freed together, and all trees together have a limit; one owner (a site, an account) may use
 * three quarters of it. The limit is checked before a text is parsed, because jansson does not
 * check whether its buffers grew. Trees of up to JSON_TREE_SMALL are never refused.
 *
 * jansson has one pair of allocation functions per process: between json_memory_enter and
 * json_memory_leave a thread's calls use that memory, otherwise (libjwt) malloc and free.
 */
#pragma once

#include "base/crypto/uuid.h"

#include <stddef.h>
#include <stdint.h>

struct json_memory;

enum { JSON_TREE_SMALL = 1024 * 1024 };

/* The limit for all trees of the process; before the first call there is none. */
void json_memory_set_limit(uint64_t bytes);
/* The maximum for one tree. */
uint64_t json_memory_share(void);
uint64_t json_memory_used(void);

/* For a text of `text_len` bytes whose tree takes at most `most`. NULL when the limit is
 * exceeded. */
struct json_memory *json_memory_new(Uuid owner, size_t text_len, uint64_t most);
void json_memory_free(struct json_memory *memory); /* on any thread; NULL is allowed */
/* Aligned for pointers. */
void *json_memory_alloc(struct json_memory *memory, size_t size);

void json_memory_enter(struct json_memory *memory);
void json_memory_leave(void);
/* The tree is complete: from now on only its actual size is charged. */
void json_memory_settle(struct json_memory *memory);
