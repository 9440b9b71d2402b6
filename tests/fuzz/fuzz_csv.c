/*
 * Every row takes part of the text, the rows are no more than its bytes, and cells hold no more
 * bytes than it has.
 */
#include "base/text/csv.h"

#include <assert.h>

enum { CELLS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct csv csv = csv_begin(str_of((const char *)data, size));
    Str cells[CELLS_MAX];
    uint32_t count;
    size_t bytes = 0;
    size_t left = csv.rest.len;
    while (csv_next(&csv, arena, cells, CELLS_MAX, &count)) {
        assert(count >= 1 && count <= CELLS_MAX);
        assert(csv.rest.len < left);
        left = csv.rest.len;
        for (uint32_t i = 0; i < count; i++)
            bytes += cells[i].len;
    }
    assert(csv.rest.len == 0 && bytes <= size);
    arena_destroy(arena);
    return 0;
}
