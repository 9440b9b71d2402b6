/*
 * A kind of job is declared once, in <subject>_job.c of the module that does the work: one constant
 * with everything that the queue and the workers must know about it, and the fields of its payload.
 * Enqueuing and running read the same declaration, so a payload is written and read in one form.
 *
 *     struct links_payload {
 *         Uuid campaign_id;
 *         int64_t max_links;
 *         const Uuid *article_ids;
 *         uint32_t article_ids_count;
 *     };
 *     static const struct job_field FIELDS[] = {
 *         JOB_UUID(struct links_payload, campaign_id, JOB_OPTIONAL),
 *         JOB_INT(struct links_payload, max_links, 1, 50, 5),
 *         JOB_UUIDS(struct links_payload, article_ids, 1000),
 *     };
 *     const struct job_kind JOB_INSERT_LINKS =
 *         JOB_KIND("insert-links", links_run, JOB_OF_SITE, 600, JOB_LOW, "Turns words into links.",
 *                  JOB_PAYLOAD(struct links_payload, FIELDS));
 *
 * app/compose.c registers it with job_kind_add.
 */
#pragma once

#include "base/memory/array.h"
#include "jobs/queue/job.h"

#include <stddef.h>

enum job_scope { JOB_OF_SITE, JOB_OF_PLATFORM, JOB_OF_ANY };

enum job_field_type {
    JOB_FIELD_UUID,
    JOB_FIELD_INT,
    JOB_FIELD_REAL,
    JOB_FIELD_TEXT,
    JOB_FIELD_UUIDS,
    JOB_FIELD_TEXTS
};

/* One member of a payload: its name in JSON is the name of the member. */
struct job_field {
    const char *name;
    enum job_field_type type;
    bool is_required;
    size_t at;       /* in the payload's struct */
    size_t count_at; /* of a list: where its length is, a uint32_t */
    int64_t min;     /* of an integer */
    int64_t max;     /* of an integer; characters of a text, elements of a list */
    int64_t initial; /* of an integer that is absent */
    double real_max; /* a real is from 0 to this; absent: 0 */
};

struct job_kind {
    Str name;
    JobHandler *run;
    enum job_scope scope; /* a job of another scope is refused before `run` sees it */
    int64_t timeout_s;
    const char *help;
    enum job_priority priority;
    int32_t max_failures; /* 0: the default of 3 */
    const struct job_field *fields;
    uint32_t field_count;
    size_t payload_size;   /* of its struct; 0: the kind has none */
    const void *extension; /* its job, for kinds that an extension added */
};

/* clang-format off */
#define JOB_KIND(name_, run_, scope_, timeout_s_, priority_, help_, ...)                           \
    {.name = STR_INIT(name_), .run = run_, .scope = scope_, .timeout_s = timeout_s_,               \
     .priority = priority_, .help = help_, __VA_ARGS__}
#define JOB_PAYLOAD(struct_, fields_)                                                              \
    .fields = fields_, .field_count = COUNT_OF(fields_),                                           \
    .payload_size = sizeof(struct_)

#define JOB_REQUIRED true
#define JOB_OPTIONAL false
/* The offset of a member; another type than `type_` does not compile. */
#define JOB_AT(struct_, member_, type_)                                                            \
    (offsetof(struct_, member_) +                                                                  \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct_ *)0)->member_), type_) ? 1 : -1]))
#define JOB_UUID(struct_, member_, is_required_)                                                   \
    {.name = #member_, .type = JOB_FIELD_UUID, .at = JOB_AT(struct_, member_, Uuid),               \
     .is_required = is_required_}
#define JOB_INT(struct_, member_, min_, max_, initial_)                                            \
    {.name = #member_, .type = JOB_FIELD_INT, .at = JOB_AT(struct_, member_, int64_t),             \
     .min = min_, .max = max_, .initial = initial_}
#define JOB_REAL(struct_, member_, max_)                                                           \
    {.name = #member_, .type = JOB_FIELD_REAL, .at = JOB_AT(struct_, member_, double),             \
     .real_max = max_}
#define JOB_TEXT(struct_, member_, max_, is_required_)                                             \
    {.name = #member_, .type = JOB_FIELD_TEXT, .at = JOB_AT(struct_, member_, Str), .max = max_,   \
     .is_required = is_required_}
#define JOB_UUIDS(struct_, member_, max_)                                                          \
    {.name = #member_, .type = JOB_FIELD_UUIDS, .at = JOB_AT(struct_, member_, const Uuid *),      \
     .count_at = JOB_AT(struct_, member_##_count, uint32_t), .max = max_}
#define JOB_TEXTS(struct_, member_, max_)                                                          \
    {.name = #member_, .type = JOB_FIELD_TEXTS, .at = JOB_AT(struct_, member_, const Str *),       \
     .count_at = JOB_AT(struct_, member_##_count, uint32_t), .max = max_}
/* clang-format on */

/*
 * The registry, filled before the threads start and immutable from then on. A kind must live as
 * long as the process; two of one name are a bug.
 */
void job_kind_add(const struct job_kind *kind);
/* NULL: no such kind in this build. */
const struct job_kind *job_kind_find(Str name);
/* All of them, in the order of their registration. */
uint32_t job_kind_count(void);
const struct job_kind *job_kind_at(uint32_t index);

/* One fenced row and nothing else, for benchmarks (noop_job.c). */
extern const struct job_kind JOB_BENCH_NOOP;

/*
 * What to enqueue: kind, priority and tries as declared, `payload` (the kind's struct) as JSON.
 * Values that are nil, empty or NULL are left out. The caller may set dedup_key, priority and
 * delay_us. ERR_TOO_LARGE: a payload may have JOB_PAYLOAD_MAX bytes.
 */
Err job_spec_make(struct ctx *ctx, const struct job_kind *kind, const void *payload,
                  struct job_spec *ret);
/* The dedup key of a kind: its name, a dot, and `what` a second job would do again. */
Str job_dedup_key(struct arena *arena, const struct job_kind *kind, Str what);

/* The payload of a job of this kind, lists and texts in ctx->arena; what is absent is nil, empty or
 * the field's initial value. ERR_INVALID_PAYLOAD names the field. */
Err job_payload_read(struct ctx *ctx, const struct job_kind *kind, const struct job *job,
                     void *ret);
/* ERR_INVALID_PAYLOAD: the kind is for jobs of another scope. */
Err job_scope_check(struct ctx *ctx, const struct job_kind *kind, const struct job *job);
