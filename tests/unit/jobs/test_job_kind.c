/* Kinds of jobs: what is written by a declaration is read by it, and nothing else. */
#include "jobs/queue/job_kind.h"
#include "support/fixture.h"

struct payload {
    Uuid campaign;
    int64_t limit;
    double threshold;
    Str name;
    const Uuid *ids;
    uint32_t ids_count;
    const Str *words;
    uint32_t words_count;
};
static const struct job_field FIELDS[] = {
    JOB_UUID(struct payload, campaign, JOB_OPTIONAL),
    JOB_INT(struct payload, limit, 1, 10, 5),
    JOB_REAL(struct payload, threshold, 1),
    JOB_TEXT(struct payload, name, 4, JOB_REQUIRED),
    JOB_UUIDS(struct payload, ids, 2),
    JOB_TEXTS(struct payload, words, 2),
};

static fiber_fn Err run(struct ctx *c, struct job *job)
{
    (void)c;
    (void)job;
    return OK;
}

static const struct job_kind KIND =
    JOB_KIND("test", run, JOB_OF_SITE, 60, JOB_LOW, "Tests.", JOB_PAYLOAD(struct payload, FIELDS),
             .max_failures = 7);

static Err read_text(struct ctx *ctx, const char *text, struct payload *ret)
{
    struct job job = {.kind = KIND.name};
    TRY(json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &job.payload));
    return job_payload_read(ctx, &KIND, &job, ret);
}

static void a_payload_survives_being_written_and_read(void **state)
{
    struct ctx *ctx = *state;
    const Uuid ids[] = {uuid_make(), uuid_make()};
    const Str words[] = {STR_INIT("a\"b"), STR_INIT("")};
    struct payload in = {.campaign = uuid_make(),
                         .limit = 10,
                         .threshold = 0.25,
                         .name = STR("name"),
                         .ids = ids,
                         .ids_count = 2,
                         .words = words,
                         .words_count = 2};
    struct job_spec spec;
    assert_int_equal(job_spec_make(ctx, &KIND, &in, &spec), OK);
    assert_true(str_eq(spec.kind, STR("test")));
    assert_int_equal(spec.priority, JOB_LOW);
    assert_int_equal(spec.max_failures, 7);
    struct payload out;
    assert_int_equal(read_text(ctx, str_z(ctx->arena, spec.payload), &out), OK);
    assert_true(uuid_eq(out.campaign, in.campaign) && out.limit == 10 && out.threshold == 0.25);
    assert_true(str_eq(out.name, in.name) && out.ids_count == 2 && out.words_count == 2);
    assert_true(uuid_eq(out.ids[1], ids[1]) && str_eq(out.words[0], words[0]));
}

static void what_is_empty_is_left_out_and_what_is_absent_has_its_initial_value(void **state)
{
    struct ctx *ctx = *state;
    struct payload in = {.limit = 1, .name = STR("n")};
    struct job_spec spec;
    assert_int_equal(job_spec_make(ctx, &KIND, &in, &spec), OK);
    assert_true(str_eq(spec.payload, STR("{\"limit\":1,\"threshold\":0,\"name\":\"n\"}")));
    struct payload out;
    assert_int_equal(read_text(ctx, "{\"name\":\"n\",\"of an older version\":1}", &out), OK);
    assert_true(uuid_is_nil(out.campaign) && out.limit == 5 && out.ids_count == 0);
}

static void a_bad_payload_names_the_field(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *text;
        const char *field;
    } CASES[] = {
        {"{}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":\"12345\"}", "name"},
        {"{\"name\":1}", "name"},
        {"{\"name\":\"n\",\"limit\":0}", "limit"},
        {"{\"name\":\"n\",\"limit\":11}", "limit"},
        {"{\"name\":\"n\",\"threshold\":1.5}", "threshold"},
        {"{\"name\":\"n\",\"threshold\":\"0\"}", "threshold"},
        {"{\"name\":\"n\",\"campaign\":\"x\"}", "campaign"},
        {"{\"name\":\"n\",\"ids\":[\"x\"]}", "ids"},
        {"{\"name\":\"n\",\"ids\":\"x\"}", "ids"},
        {"{\"name\":\"n\",\"words\":[\"1\",\"2\",\"3\"]}", "words"},
        {"{\"name\":\"n\",\"words\":[1]}", "words"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct payload out;
        diag_clear(ctx);
        assert_int_equal(read_text(ctx, CASES[i].text, &out), ERR_INVALID_PAYLOAD);
        assert_true(str_eq(ctx->diag.last->notes->value, str_from_z(CASES[i].field)));
    }
}

static void a_payload_that_is_too_large_is_refused(void **state)
{
    struct ctx *ctx = *state;
    Str *words = arena_array(ctx->arena, Str, 2);
    char *text = arena_alloc_raw(ctx->arena, JOB_PAYLOAD_MAX);
    memset(text, 'x', JOB_PAYLOAD_MAX);
    words[0] = words[1] = str_of(text, JOB_PAYLOAD_MAX);
    struct payload in = {.name = STR("n"), .words = words, .words_count = 2};
    struct job_spec spec;
    assert_int_equal(job_spec_make(ctx, &KIND, &in, &spec), ERR_TOO_LARGE);
}

static void a_job_of_another_scope_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct job job = {.scope = {.kind = SCOPE_PLATFORM}};
    assert_int_equal(job_scope_check(ctx, &KIND, &job), ERR_INVALID_PAYLOAD);
    job.scope = (Scope){.kind = SCOPE_SITE, .site = uuid_make()};
    assert_int_equal(job_scope_check(ctx, &KIND, &job), OK);
}

static void a_kind_is_found_by_its_name(void **state)
{
    (void)state;
    assert_null(job_kind_find(STR("test")));
    job_kind_add(&KIND);
    assert_ptr_equal(job_kind_find(STR("test")), &KIND);
    assert_int_equal(job_kind_count(), 1);
    assert_null(job_kind_find(STR("tes")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_payload_survives_being_written_and_read),
        FIXTURE_TEST(what_is_empty_is_left_out_and_what_is_absent_has_its_initial_value),
        FIXTURE_TEST(a_bad_payload_names_the_field),
        FIXTURE_TEST(a_payload_that_is_too_large_is_refused),
        FIXTURE_TEST(a_job_of_another_scope_is_refused),
        FIXTURE_TEST(a_kind_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
