/* Names, columns and values on their way into SQL. */
#include "content/ddl/ddl_internal.h"
#include "content/load/bulk_internal.h"
#include "content/schema/schema.h"
#include "support/fixture.h"

static void quotes_are_doubled(void **state)
{
    struct ctx *ctx = *state;
    expect_str(sql_ident(ctx->arena, STR("plain")), "\"plain\"");
    expect_str(sql_ident(ctx->arena, STR("a\"b")), "\"a\"\"b\"");
    expect_str(sql_literal(ctx->arena, STR("it's \\ fine")), "'it''s \\ fine'");
    expect_str(sql_table(ctx->arena, STR("my table")), "public.\"my table\"");
}

static void names_that_the_query_language_needs_are_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {"a.b",  "a/b", "a:b",  "a,b",  "a(b", "$a", "a*",
                                      "a\"b", "a'b", "a\\b", "a\nb", " a",  "a ", NULL};
    for (int i = 0; BAD[i] != NULL; i++)
        assert_int_equal(ddl_field_name_check(ctx, str_from_z(BAD[i])), ERR_INVALID_PAYLOAD);
    static const char *const GOOD[] = {"a", "Title", "größe", "a b", "a-b", "_x", "order", NULL};
    for (int i = 0; GOOD[i] != NULL; i++)
        assert_int_equal(ddl_collection_name_check(ctx, str_from_z(GOOD[i])), OK);
    Str longest = STR("a23456789012345678901234567890123456789012345678901234567890123");
    assert_int_equal(ddl_field_name_check(ctx, longest), OK);
    assert_int_equal(ddl_field_name_check(ctx, str_printf(ctx->arena, "%.*sx", STR_FMT(longest))),
                     ERR_INVALID_PAYLOAD);
}

static void expect_column(struct ctx *ctx, const char *json, const char *want)
{
    const struct json *parsed;
    struct ddl_field field;
    struct buf *sql = buf_in_arena(ctx->arena, 4096);
    assert_int_equal(json_parse(ctx, str_from_z(json), JSON_LIMITS_DEFAULT, &parsed), OK);
    assert_int_equal(ddl_field_read(ctx, parsed, TENANCY_BY_FIELDS, &field), OK);
    assert_int_equal(ddl_column_write(ctx, &field, sql), OK);
    expect_str(buf_str(sql), want);
}

static void a_field_becomes_its_column(void **state)
{
    struct ctx *ctx = *state;
    expect_column(ctx, "{\"field\":\"a\",\"type\":\"string\"}", "\"a\" varchar(255)");
    expect_column(ctx,
                  "{\"field\":\"a\",\"type\":\"string\",\"schema\":{\"max_length\":7,"
                  "\"is_nullable\":false,\"is_unique\":true,\"default_value\":\"it's\"}}",
                  "\"a\" varchar(7) default 'it''s' not null unique");
    expect_column(ctx, "{\"field\":\"a\",\"type\":\"decimal\"}", "\"a\" numeric(10,5)");
    expect_column(
        ctx, "{\"field\":\"a\",\"type\":\"timestamp\",\"schema\":{\"default_value\":\"NOW()\"}}",
        "\"a\" timestamptz default current_timestamp");
    expect_column(ctx,
                  "{\"field\":\"a\",\"type\":\"string\",\"schema\":{\"default_value\":\"now()\"}}",
                  "\"a\" varchar(255) default 'now()'");
    expect_column(ctx,
                  "{\"field\":\"a\",\"type\":\"json\",\"schema\":{\"default_value\":{\"b\":1}}}",
                  "\"a\" json default '{\"b\":1}'");
    expect_column(ctx, "{\"field\":\"a\",\"type\":\"json\",\"schema\":{\"default_value\":\"[1]\"}}",
                  "\"a\" json default '[1]'");
    expect_column(ctx, "{\"field\":\"a\",\"type\":\"geometry.Point\"}",
                  "\"a\" geometry(Point,4326)");
    expect_column(ctx,
                  "{\"field\":\"id\",\"type\":\"bigInteger\",\"schema\":{\"is_primary_key\":true,"
                  "\"has_auto_increment\":true}}",
                  "\"id\" bigserial primary key");
    expect_column(ctx, "{\"field\":\"id\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true}}",
                  "\"id\" uuid default gen_random_uuid() primary key");
    expect_column(
        ctx,
        "{\"field\":\"site_id\",\"type\":\"uuid\",\"schema\":{\"foreign_key_table\":\"sites\"}}",
        "\"site_id\" uuid default spark.current_site() not null references public.sites (id) on "
        "delete cascade");
    expect_column(ctx, "{\"field\":\"site_id\",\"type\":\"uuid\"}",
                  "\"site_id\" uuid default spark.current_site() not null references public.sites "
                  "(id) on delete cascade");
    expect_column(
        ctx, "{\"field\":\"site_id\",\"type\":\"uuid\",\"schema\":{\"foreign_key_table\":\"x\"}}",
        "\"site_id\" uuid");
}

static void fields_that_make_no_sense_are_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {
        "[]",
        "{\"type\":\"string\"}",
        "{\"field\":7,\"type\":\"string\"}",
        "{\"field\":\"a\",\"type\":\"strng\"}",
        "{\"field\":\"a\",\"type\":\"unknown\"}",
        "{\"field\":\"a\",\"type\":\"string\",\"schema\":[]}",
        "{\"field\":\"a\",\"type\":\"string\",\"meta\":\"x\"}",
        "{\"field\":\"a\",\"type\":\"string\",\"schema\":{\"is_unique\":\"maybe\"}}",
        "{\"field\":\"a\",\"type\":\"text\",\"schema\":{\"has_auto_increment\":true}}",
        "{\"field\":\"a\",\"type\":\"json\",\"schema\":{\"is_primary_key\":true}}",
        NULL,
    };
    for (int i = 0; BAD[i] != NULL; i++) {
        const struct json *parsed;
        struct ddl_field field;
        assert_int_equal(json_parse(ctx, str_from_z(BAD[i]), JSON_LIMITS_DEFAULT, &parsed), OK);
        if (ddl_field_read(ctx, parsed, TENANCY_BY_FIELDS, &field) == OK)
            fail_msg("%s was accepted", BAD[i]);
    }
}

static struct field field_of(uint32_t oid, enum field_type type)
{
    static const struct collection COLLECTION = {.name = STR_INIT("things")};
    return (struct field){.name = STR("f"),
                          .type = type,
                          .type_oid = oid,
                          .is_nullable = true,
                          .collection = &COLLECTION};
}

static void expect_line(struct ctx *ctx, struct field field, const char *json, const char *want)
{
    const struct json *value;
    Str fault = STR_NONE;
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    assert_int_equal(json_parse(ctx, str_from_z(json), JSON_LIMITS_DEFAULT, &value), OK);
    bool is_good = bulk_value_write(ctx, &field, value, out, &fault);
    expect_str(is_good ? buf_str(out) : fault, want);
}

static void values_become_lines_of_copy(void **state)
{
    struct ctx *ctx = *state;
    expect_line(ctx, field_of(OID_TEXT, FIELD_TEXT), "\"a\\tb\\nc\\\\d\\r\"", "a\\tb\\nc\\\\d\\r");
    expect_line(ctx, field_of(OID_TEXT, FIELD_TEXT), "\"\\\\N\"", "\\\\N");
    expect_line(ctx, field_of(OID_TEXT, FIELD_TEXT), "null", "\\N");
    expect_line(ctx, field_of(OID_TEXT, FIELD_CSV), "[\"a\",\"b\"]", "a,b");
    expect_line(ctx, field_of(OID_TEXT, FIELD_TEXT), "[1]", "Field \"f\" must be a text");
    expect_line(ctx, field_of(OID_BOOL, FIELD_BOOLEAN), "true", "t");
    expect_line(ctx, field_of(OID_BOOL, FIELD_BOOLEAN), "0", "f");
    expect_line(ctx, field_of(OID_BOOL, FIELD_BOOLEAN), "2", "Field \"f\" must be true or false");
    expect_line(ctx, field_of(OID_INT4, FIELD_INTEGER), "\"-12\"", "-12");
    expect_line(ctx, field_of(OID_INT4, FIELD_INTEGER), "5.0", "5");
    expect_line(ctx, field_of(OID_INT4, FIELD_INTEGER), "5.5", "Field \"f\" must be an integer");
    expect_line(ctx, field_of(OID_INT4, FIELD_INTEGER), "2147483648",
                "Field \"f\" must be an integer in the range of its column");
    expect_line(ctx, field_of(OID_INT8, FIELD_BIG_INTEGER), "\"9223372036854775807\"",
                "9223372036854775807");
    expect_line(ctx, field_of(OID_FLOAT4, FIELD_FLOAT), "1e39",
                "Field \"f\" must be a number in the range of its column");
    expect_line(ctx, field_of(OID_UUID, FIELD_UUID), "\"nope\"", "Field \"f\" must be a UUID");
    expect_line(ctx, field_of(OID_JSON, FIELD_JSON), "{\"a\":\"x\\ny\"}", "{\"a\":\"x\\\\ny\"}");
    expect_line(ctx, field_of(OID_DATE, FIELD_DATE), "\"2024-02-29\"", "2024-02-29");
    expect_line(ctx, field_of(OID_DATE, FIELD_DATE), "\"2023-02-29\"",
                "Field \"f\" must be an ISO 8601 date and time");
    expect_line(ctx, field_of(OID_TIMESTAMPTZ, FIELD_TIMESTAMP), "\"2024-02-29T10:20:30+02:00\"",
                "2024-02-29T08:20:30.000Z");
    expect_line(ctx, field_of(OID_TIME, FIELD_TIME), "\"10:20:30.5\"", "10:20:30.5");
    expect_line(ctx, field_of(OID_TIME, FIELD_TIME), "\"24:00\"",
                "Field \"f\" must be a time, HH:MM:SS");
    expect_line(ctx, field_of(OID_VARCHAR, FIELD_HASH), "\"secret\"",
                "Field \"f\" must be an argon2 hash, not the text itself");
    struct field required = field_of(OID_TEXT, FIELD_TEXT);
    required.is_nullable = false;
    expect_line(ctx, required, "null",
                "Value for field \"f\" in collection \"things\" can't be null");
    struct field narrow = field_of(OID_VARCHAR, FIELD_STRING);
    narrow.max_length = 3;
    expect_line(ctx, narrow, "\"äöü\"", "äöü");
    expect_line(ctx, narrow, "\"äöüß\"", "Field \"f\" must be a shorter text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(quotes_are_doubled),
        FIXTURE_TEST(names_that_the_query_language_needs_are_refused),
        FIXTURE_TEST(a_field_becomes_its_column),
        FIXTURE_TEST(fields_that_make_no_sense_are_refused),
        FIXTURE_TEST(values_become_lines_of_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
