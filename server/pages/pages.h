/*
 * The static pages, as they lie in memory. Read, hashed and compressed once when the server starts:
 * a request for one never waits for a disk, and its ETag is strong because it is a hash of exactly
 * the bytes that are sent. A changed file is seen after a restart.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

struct server;

enum { PAGES_MAX = 256, PAGE_SIZE_MAX = 4 * 1024 * 1024, PAGES_DEPTH_MAX = 4 };

/* One representation: as it is, or compressed. */
struct page_body {
    Str bytes; /* STR_NONE: there is no such representation */
    Str etag;  /* with its quotes */
};

struct page {
    Str path; /* "/style.css"; the page of a folder ends in '/' */
    Str type;
    struct page_body plain;
    struct page_body gzip;
};

struct pages {
    struct arena *arena;
    struct page list[PAGES_MAX];
    uint32_t count;
};

/* Returns the gzip form of `bytes` in the arena, or STR_NONE where that saves nothing. */
typedef Str PageCompressFn(struct arena *arena, Str bytes);

/* What is too big, too deep or unreadable is left out and logged. */
void pages_load(struct pages *pages, Str folder, PageCompressFn *compress);
const struct page *pages_find(const struct pages *pages, Str path); /* or NULL */

/* Serves the files of STATIC_PATH under /admin, and those of its folder js under /js, from memory.
 */
void pages_add(struct server *server);
