/*
 * The static pages in memory. Read, hashed and compressed once when the server starts: a request
 * never waits for a disk, and the ETag is strong because it is a hash of exactly the bytes that are
 * sent. A changed file is visible after a restart.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

struct server;

enum { PAGES_MAX = 256, PAGE_SIZE_MAX = 4 * 1024 * 1024, PAGES_DEPTH_MAX = 4 };

/* One representation: identity or gzip. */
struct page_body {
    Str bytes; /* STR_NONE: there is no such representation */
    Str etag;  /* including the quotes */
};

struct page {
    Str path; /* "/style.css"; the path of a folder's page ends in '/' */
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

/* Files that are too large, too deep or unreadable are skipped and logged. */
void pages_load(struct pages *pages, Str folder, PageCompressFn *compress);
const struct page *pages_find(const struct pages *pages, Str path); /* or NULL */

/* Serves the files of STATIC_PATH under /admin, and those of its folder js under /js, from memory.
 */
void pages_add(struct server *server);
