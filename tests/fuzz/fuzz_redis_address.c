/* Any bytes as REDIS_URL: what is accepted names exactly one place, and no password gets into its
 * text. */
#include "base/memory/arena.h"
#include "io/redis/redis_address.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct redis_address address;
    if (redis_address_parse(arena, str_of((const char *)data, size), &address)) {
        assert((address.unix_path != NULL) != (address.host != NULL));
        assert(address.text.len > 0);
        assert(address.host == NULL || address.port != NULL);
        assert(address.host == NULL || str_find_char(address.text, '@') < 0);
    }
    arena_destroy(arena);
    return 0;
}
