#include "base/memory/arena.h"
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { OID_JSONB = 3802, OID_UUID = 2950, OID_DATE = 1082 };
enum { ARRAY_ELEMENTS_MAX = 1000000 };

static uint64_t read_u64(const char *at);
static uint32_t read_u32(const char *at);

static inline const PGresult *result_of(const struct rows *rows, uint32_t row, uint32_t column)
{
    assert(row < rows->count && column < rows->columns);
    return rows->result;
}

bool row_is_null(const struct rows *rows, uint32_t row, uint32_t column)
{
    return PQgetisnull(result_of(rows, row, column), (int)row, (int)column) != 0;
}

const char *row_bytes(const struct rows *rows, uint32_t row, uint32_t column, uint32_t *ret_len)
{
    const PGresult *result = result_of(rows, row, column);
    if (PQgetisnull(result, (int)row, (int)column)) {
        *ret_len = 0;
        return NULL;
    }
    *ret_len = (uint32_t)PQgetlength(result, (int)row, (int)column);
    return PQgetvalue(result, (int)row, (int)column);
}

Str row_text(const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    return str_of(data, len);
}

Str row_json(const struct rows *rows, uint32_t row, uint32_t column)
{
    Str text = row_text(rows, row, column);
    /* jsonb on the wire is a version byte, 1, followed by the text. */
    if (text.data != NULL && row_oid(rows, column) == OID_JSONB) {
        assert(text.len > 0 && text.data[0] == 1);
        return str_of(text.data + 1, text.len - 1);
    }
    return text;
}

Uuid row_uuid(const struct rows *rows, uint32_t row, uint32_t column)
{
    Uuid uuid = {0};
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    if (data != NULL) {
        assert(len == sizeof(uuid.bytes));
        memcpy(uuid.bytes, data, sizeof(uuid.bytes));
    }
    return uuid;
}

int64_t row_int(const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    if (data == NULL)
        return 0;
    if (len == sizeof(int32_t))
        return (int32_t)read_u32(data);
    if (len == sizeof(int64_t))
        return (int64_t)read_u64(data);
    assert(len == sizeof(int16_t));
    return (int16_t)(uint16_t)((uint32_t)(unsigned char)data[0] << 8 | (unsigned char)data[1]);
}

bool row_bool(const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    assert(data == NULL || len == 1);
    return data != NULL && data[0] != 0;
}

double row_real(const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    if (data == NULL)
        return 0;
    if (len == sizeof(float)) {
        uint32_t bits = read_u32(data);
        float value;
        memcpy(&value, &bits, sizeof(value));
        return (double)value;
    }
    assert(len == sizeof(double));
    uint64_t bits = read_u64(data);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

int64_t row_time(const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    if (data == NULL)
        return 0;
    if (len == sizeof(int32_t)) {
        assert(row_oid(rows, column) == OID_DATE);
        return (int32_t)read_u32(data) * (86400 * SECOND_US) + PG_EPOCH_US;
    }
    assert(len == sizeof(int64_t));
    int64_t time = (int64_t)read_u64(data);
    /* Infinities are not shifted: they stay outside the range of real times. */
    return time == INT64_MAX || time == INT64_MIN || time > INT64_MAX - PG_EPOCH_US
               ? time
               : time + PG_EPOCH_US;
}

uint32_t row_oid(const struct rows *rows, uint32_t column)
{
    assert(column < rows->columns);
    return PQftype(rows->result, (int)column);
}

Str row_column_name(const struct rows *rows, uint32_t column)
{
    assert(column < rows->columns);
    return str_from_z(PQfname(rows->result, (int)column));
}

uint32_t row_text_array(struct arena *arena, const struct rows *rows, uint32_t row, uint32_t column,
                        const Str **ret)
{
    uint32_t len;
    const char *data = row_bytes(rows, row, column, &len);
    *ret = NULL;
    return data == NULL ? 0 : db_array_read(arena, data, len, ret);
}

/* Validates the bytes: an array of another type or dimension counts as empty. */
uint32_t db_array_read(struct arena *arena, const char *data, uint32_t len, const Str **ret)
{
    assert(data != NULL);
    const char *end = data + len;
    if (len < 20 || read_u32(data) != 1)
        return 0;
    uint32_t oid = read_u32(data + 8);
    uint32_t count = read_u32(data + 12);
    if (count == 0 || count > ARRAY_ELEMENTS_MAX || count > len / 4)
        return 0;

    Str *elements = arena_array(arena, Str, count);
    const char *at = data + 20;
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 4)
            return 0;
        uint32_t size = read_u32(at);
        at += 4;
        if (size == UINT32_MAX)
            continue;
        if ((size_t)(end - at) < size)
            return 0;
        elements[i] = str_of(at, size);
        if (oid == OID_UUID && size == sizeof(Uuid)) {
            Uuid uuid;
            memcpy(uuid.bytes, at, sizeof(uuid.bytes));
            elements[i] = uuid_text(arena, uuid);
        }
        at += size;
    }
    *ret = elements;
    return count;
}

static uint64_t read_u64(const char *at)
{
    uint64_t wire;
    memcpy(&wire, at, sizeof(wire));
    return be64toh(wire);
}

static uint32_t read_u32(const char *at)
{
    uint32_t wire;
    memcpy(&wire, at, sizeof(wire));
    return be32toh(wire);
}
