/*
 * The memory of JSON trees. jansson asks malloc for each value; a tree of a million values would
 * take as long to give back as to read, and leave malloc with as many holes. Here a tree has blocks
 * of its own, which go all at once, and all trees together have a limit, of which one owner (a
 * site, an account) has three quarters. It is asked before a text is parsed: jansson does not look
 * whether its buffers grew. Trees of up to JSON_TREE_SMALL are never refused.
 *
 * jansson has one pair of functions for the process: while a thread is between json_memory_enter
 * and json_memory_leave they use that memory, else (libjwt) they are malloc and free.
 */
#pragma once

#include "base/crypto/uuid.h"

#include <stddef.h>
#include <stdint.h>

struct json_memory;

enum { JSON_TREE_SMALL = 1024 * 1024 };

/* What all trees of the process may take; before the first call there is no limit. */
void json_memory_set_limit(uint64_t bytes);
/* The most that one tree may take. */
uint64_t json_memory_share(void);
uint64_t json_memory_used(void);

/* For a text of `text_len` bytes whose tree takes `most` at most. NULL when there is no room. */
struct json_memory *json_memory_new(Uuid owner, size_t text_len, uint64_t most);
void json_memory_free(struct json_memory *memory); /* on any thread; NULL is fine */
/* Aligned for pointers. */
void *json_memory_alloc(struct json_memory *memory, size_t size);

void json_memory_enter(struct json_memory *memory);
void json_memory_leave(void);
/* The tree is complete: only what it really takes counts from here on. */
void json_memory_settle(struct json_memory *memory);
