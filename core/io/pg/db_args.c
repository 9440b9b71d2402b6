#include "base/memory/arena.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT8 = 701,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
};

/* The format of array_recv: dimensions, "has nulls", element type, then length and lower bound. */
enum { ARRAY_HEADER = 12, ARRAY_DIMENSION = 8, ELEMENT_HEADER = 4 };

static DbArg arg_inline(uint32_t oid, const void *bytes, uint32_t len);
static char *array_begin(struct arena *arena, uint32_t oid, uint32_t count, bool has_null,
                         size_t size, DbArg *ret);
static char *put_u32(char *at, uint32_t value);

DbArg db_null(void)
{
    return (DbArg){0};
}

DbArg db_text(Str value)
{
    return (DbArg){.data = value.data != NULL ? value.data : "", .len = (uint32_t)value.len};
}

DbArg db_text_z(Str value)
{
    return value.data == NULL ? db_null() : db_text(value);
}

struct db_args db_args_dup(struct arena *arena, struct db_args args)
{
    assert(args.count > 0);
    DbArg *list = arena_array(arena, DbArg, args.count);
    memcpy(list, args.list, args.count * sizeof *list);
    return (struct db_args){list, args.count};
}

DbArg db_text_or_null(Str value)
{
    return value.len == 0 ? db_null() : db_text(value);
}

DbArg db_uuid_or_null(Uuid value)
{
    return uuid_is_nil(value) ? db_null() : db_uuid(value);
}

DbArg db_uuid(Uuid value)
{
    return arg_inline(OID_UUID, value.bytes, sizeof(value.bytes));
}

DbArg db_int(int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    return arg_inline(OID_INT8, &wire, sizeof(wire));
}

DbArg db_int4(int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    return arg_inline(OID_INT4, &wire, sizeof(wire));
}

DbArg db_bool(bool value)
{
    char wire = value ? 1 : 0;
    return arg_inline(OID_BOOL, &wire, sizeof(wire));
}

DbArg db_bytes(Str value)
{
    return (DbArg){.data = value.data != NULL ? value.data : "",
                   .len = (uint32_t)value.len,
                   .oid = OID_BYTEA,
                   .is_binary = true};
}

DbArg db_time(int64_t wall_us)
{
    uint64_t wire = htobe64((uint64_t)(wall_us - PG_EPOCH_US));
    return arg_inline(OID_TIMESTAMPTZ, &wire, sizeof(wire));
}

DbArg db_real(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits = htobe64(bits);
    return arg_inline(OID_FLOAT8, &bits, sizeof(bits));
}

DbArg db_uuid_array(struct arena *arena, const Uuid *values, uint32_t count)
{
    DbArg arg;
    char *at = array_begin(arena, OID_UUID, count, false, sizeof(values->bytes) * count, &arg);
    for (uint32_t i = 0; i < count; i++) {
        at = put_u32(at, sizeof(values[i].bytes));
        memcpy(at, values[i].bytes, sizeof(values[i].bytes));
        at += sizeof(values[i].bytes);
        assert(at <= arg.data + arg.len);
    }
    return arg;
}

DbArg db_int_array(struct arena *arena, const int64_t *values, uint32_t count)
{
    assert(count == 0 || values != NULL);
    DbArg arg;
    char *at = array_begin(arena, OID_INT8, count, false, sizeof(*values) * count, &arg);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t wire = htobe64((uint64_t)values[i]);
        at = put_u32(at, sizeof(wire));
        memcpy(at, &wire, sizeof(wire));
        at += sizeof(wire);
    }
    return arg;
}

DbArg db_text_array(struct arena *arena, const Str *values, uint32_t count)
{
    assert(count == 0 || values != NULL);
    size_t size = 0;
    bool has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        size += values[i].len;
        has_null = has_null || values[i].data == NULL;
    }
    DbArg arg;
    char *at = array_begin(arena, OID_TEXT, count, has_null, size, &arg);
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].data == NULL) {
            at = put_u32(at, UINT32_MAX);
            continue;
        }
        at = put_u32(at, (uint32_t)values[i].len);
        memcpy(at, values[i].data, values[i].len);
        at += values[i].len;
    }
    return arg;
}

static DbArg arg_inline(uint32_t oid, const void *bytes, uint32_t len)
{
    DbArg arg = {.len = len, .oid = oid, .is_binary = true, .is_inline = true};
    assert(len <= sizeof(arg.inline_data));
    memcpy(arg.inline_data, bytes, len);
    return arg;
}

/* Writes the header of an array whose elements have `size` bytes in total; returns the position of
 * the first element. */
static char *array_begin(struct arena *arena, uint32_t oid, uint32_t count, bool has_null,
                         size_t size, DbArg *ret)
{
    assert(oid == OID_UUID || oid == OID_INT8 || oid == OID_TEXT);
    size_t total = ARRAY_HEADER;
    if (count > 0)
        total += ARRAY_DIMENSION + (size_t)count * ELEMENT_HEADER + size;
    assert(total <= DB_ARG_SIZE_MAX);

    char *data = arena_alloc_raw(arena, total);
    char *at = put_u32(data, count > 0 ? 1 : 0);
    at = put_u32(at, has_null ? 1 : 0);
    at = put_u32(at, oid);
    if (count > 0) {
        at = put_u32(at, count);
        at = put_u32(at, 1);
    }
    uint32_t array_oid = oid == OID_UUID   ? OID_UUID_ARRAY
                         : oid == OID_INT8 ? OID_INT8_ARRAY
                                           : OID_TEXT_ARRAY;
    *ret = (DbArg){.data = data, .len = (uint32_t)total, .oid = array_oid, .is_binary = true};
    return at;
}

static char *put_u32(char *at, uint32_t value)
{
    uint32_t wire = htobe32(value);
    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}
