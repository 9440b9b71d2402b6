#include "server/pages/pages.h"

#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "base/system/log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    Str suffix;
    Str type;
    bool is_text; /* compressible */
} types[] = {
    {STR_INIT(".html"), STR_INIT("text/html; charset=utf-8"), true},
    {STR_INIT(".css"), STR_INIT("text/css; charset=utf-8"), true},
    {STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8"), true},
    {STR_INIT(".json"), STR_INIT("application/json"), true},
    {STR_INIT(".svg"), STR_INIT("image/svg+xml"), true},
    {STR_INIT(".txt"), STR_INIT("text/plain; charset=utf-8"), true},
    {STR_INIT(".png"), STR_INIT("image/png"), false},
    {STR_INIT(".ico"), STR_INIT("image/x-icon"), false},
    {STR_INIT(".woff2"), STR_INIT("font/woff2"), false},
};

struct loading {
    struct pages *pages;
    PageCompressFn *compress;
};

static void folder_load(struct loading *loading, const char *folder, Str path, int depth);

void pages_load(struct pages *pages, Str folder, PageCompressFn *compress)
{
    assert(pages->arena != NULL);
    struct loading loading = {pages, compress};
    folder_load(&loading, str_z(pages->arena, folder), STR("/"), 0);
}

const struct page *pages_find(const struct pages *pages, Str path)
{
    for (uint32_t i = 0; i < pages->count; i++)
        if (str_eq(pages->list[i].path, path))
            return &pages->list[i];
    return NULL;
}

static void refuse(Str path, const char *reason)
{
    log_event(LOG_ERROR, "static_page_left_out", LOG_S("path", path), LOG_Z("reason", reason));
}

static Str etag_make(struct arena *arena, Str bytes)
{
    Sha256 hash = sha256(bytes);
    Str hex = hex_text(arena, hash.bytes, 16);
    return str_printf(arena, "\"%.*s\"", STR_FMT(hex));
}

static void page_add(struct loading *loading, Str path, Str bytes)
{
    struct pages *pages = loading->pages;
    struct arena *arena = pages->arena;
    struct page *page = &pages->list[pages->count++];
    *page = (struct page){.path = path, .type = STR("application/octet-stream")};
    if (str_ends_with(path, STR("/index.html")))
        page->path = str_slice(path, 0, path.len - (sizeof "index.html" - 1));
    page->plain = (struct page_body){bytes, etag_make(arena, bytes)};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!str_ends_with(path, types[i].suffix))
            continue;
        page->type = types[i].type;
        if (types[i].is_text)
            page->gzip.bytes = loading->compress(arena, bytes);
    }
    if (page->gzip.bytes.data != NULL)
        page->gzip.etag = etag_make(arena, page->gzip.bytes);
}

static void file_load(struct loading *loading, const char *file, Str path, off_t size)
{
    if (size > PAGE_SIZE_MAX) {
        refuse(path, "bigger than 4 MiB");
        return;
    }
    if (loading->pages->count == PAGES_MAX) {
        refuse(path, "more than 256 pages");
        return;
    }
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        refuse(path, strerror(errno));
        return;
    }
    char *bytes = arena_alloc_raw(loading->pages->arena, (size_t)size + 1);
    size_t len = fread(bytes, 1, (size_t)size, stream);
    fclose(stream);
    if (len == (size_t)size)
        page_add(loading, path, str_of(bytes, len));
    else
        refuse(path, "could not be read");
}

/* Symbolic links are not followed, and names that start with a dot are skipped. */
static void entry_load(struct loading *loading, const char *folder, Str path, const char *name,
                       int depth)
{
    struct arena *arena = loading->pages->arena;
    Str file = str_printf(arena, "%s/%s", folder, name);
    Str below = str_printf(arena, "%.*s%s", STR_FMT(path), name);
    struct stat info;
    if (name[0] == '.' || lstat(str_z(arena, file), &info) != 0)
        return;
    if (S_ISREG(info.st_mode))
        file_load(loading, str_z(arena, file), below, info.st_size);
    else if (S_ISDIR(info.st_mode))
        folder_load(loading, str_z(arena, file), str_printf(arena, "%.*s/", STR_FMT(below)),
                    depth + 1);
}

static void folder_load(struct loading *loading, const char *folder, Str path, int depth)
{
    if (depth > PAGES_DEPTH_MAX) {
        refuse(path, "too deep");
        return;
    }
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        refuse(path, strerror(errno));
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        entry_load(loading, folder, path, entry->d_name, depth);
    closedir(dir);
}
