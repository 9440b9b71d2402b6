#include "base/memory/array.h"
#include "base/system/range.h"
#include "base/text/ascii.h"
#include "factory/text/text.h"

#include <assert.h>

enum { ENTITY_LEN_MAX = 10, REPLACEMENT = 0xFFFD, CODEPOINT_MAX = 0x10FFFF };

struct entity {
    Str name;
    uint32_t codepoint;
};

static const struct entity ENTITIES[] = {
#define ENTITY(name, codepoint) {STR_INIT(name), codepoint},
#include "factory/text/entities.def"
#undef ENTITY
};

static uint32_t entity_find(Str name)
{
    size_t low = 0;
    size_t high = COUNT_OF(ENTITIES);
    while (low < high) {
        size_t middle = (low + high) / 2;
        size_t common = min_size(name.len, ENTITIES[middle].name.len);
        int order = memcmp(name.data, ENTITIES[middle].name.data, common);
        if (order == 0 && name.len == ENTITIES[middle].name.len)
            return ENTITIES[middle].codepoint;
        if (order < 0 || (order == 0 && name.len < ENTITIES[middle].name.len))
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

/* "#39" or "#x27"; 0 if it is not a number. Numbers that are not characters become U+FFFD. */
static uint32_t entity_number(Str body)
{
    assert(body.len > 0 && body.data[0] == '#');
    bool is_hex = body.len > 1 && (body.data[1] == 'x' || body.data[1] == 'X');
    size_t first = is_hex ? 2 : 1;
    if (first == body.len)
        return 0;

    uint32_t value = 0;
    for (size_t i = first; i < body.len; i++) {
        int digit = ascii_hex_value(body.data[i]);
        if (digit < 0 || (!is_hex && digit > 9))
            return 0;
        value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
        if (value > CODEPOINT_MAX)
            value = CODEPOINT_MAX + 1; /* stays out of range and cannot overflow */
    }
    bool is_character = value != 0 && value <= CODEPOINT_MAX && (value < 0xD800 || value > 0xDFFF);
    return is_character ? value : REPLACEMENT;
}

size_t html_entity(Str s, uint32_t *ret_codepoint)
{
    assert(ret_codepoint != NULL);
    if (s.len < 3 || s.data[0] != '&')
        return 0;
    Str body = str_slice(s, 1, ENTITY_LEN_MAX + 1);
    ptrdiff_t end = str_find_char(body, ';');
    if (end <= 0)
        return 0;

    body = str_slice(body, 0, (size_t)end);
    uint32_t codepoint = body.data[0] == '#' ? entity_number(body) : entity_find(body);
    if (codepoint == 0)
        return 0;
    *ret_codepoint = codepoint;
    return body.len + 2;
}
