/* Writes and reads payloads by the declaration of their kind. */
#include "base/json/json_writer.h"
#include "jobs/queue/job_kind.h"

#include <assert.h>
#include <string.h>

enum { PAYLOAD_FIRST = 256 /* initial capacity, enough for most payloads */ };

/* The address of a field; JOB_AT has checked its type. */
static const void *member(const struct job_field *field, const void *payload)
{
    return (const char *)payload + field->at;
}

static uint32_t list_len(const struct job_field *field, const void *payload)
{
    return *(const uint32_t *)(const void *)((const char *)payload + field->count_at);
}

static void uuids_write(struct json_writer *w, const Uuid *list, uint32_t count)
{
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_uuid(w, list[i]);
    json_array_end(w);
}

static void texts_write(struct json_writer *w, const Str *list, uint32_t count)
{
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(w, list[i]);
    json_array_end(w);
}

static bool is_absent(const struct job_field *field, const void *payload)
{
    const void *value = member(field, payload);
    switch (field->type) {
    case JOB_FIELD_UUID:
        return uuid_is_nil(*(const Uuid *)value);
    case JOB_FIELD_TEXT:
        return ((const Str *)value)->len == 0;
    case JOB_FIELD_UUIDS:
    case JOB_FIELD_TEXTS:
        return list_len(field, payload) == 0;
    case JOB_FIELD_INT:
    case JOB_FIELD_REAL:
        break;
    }
    return false;
}

static void field_write(struct json_writer *w, const struct job_field *field, const void *payload)
{
    const void *value = member(field, payload);
    json_key(w, str_from_z(field->name));
    switch (field->type) {
    case JOB_FIELD_UUID:
        json_put_uuid(w, *(const Uuid *)value);
        return;
    case JOB_FIELD_INT:
        json_put_int(w, *(const int64_t *)value);
        return;
    case JOB_FIELD_REAL:
        json_put_real(w, *(const double *)value);
        return;
    case JOB_FIELD_TEXT:
        json_put_str(w, *(const Str *)value);
        return;
    case JOB_FIELD_UUIDS:
        uuids_write(w, *(const Uuid *const *)value, list_len(field, payload));
        return;
    case JOB_FIELD_TEXTS:
        texts_write(w, *(const Str *const *)value, list_len(field, payload));
        return;
    }
}

Err job_spec_make(struct ctx *ctx, const struct job_kind *kind, const void *payload,
                  struct job_spec *ret)
{
    assert((payload == NULL) == (kind->payload_size == 0));
    *ret = (struct job_spec){
        .kind = kind->name,
        .priority = kind->priority,
        .max_failures = kind->max_failures,
    };
    if (payload == NULL)
        return OK;
    struct buf *out = buf_in_arena_from(ctx->arena, PAYLOAD_FIRST, JOB_PAYLOAD_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    for (uint32_t i = 0; i < kind->field_count; i++)
        if (!is_absent(&kind->fields[i], payload))
            field_write(&w, &kind->fields[i], payload);
    json_object_end(&w);
    ret->payload = buf_str(out);
    return buf_check(ctx, out, "The payload of a job");
}

static Err list_refuse(struct ctx *ctx, const struct job_field *field, const char *wanted)
{
    return fail_field(ctx, ERR_INVALID_PAYLOAD, field->name,
                      "\"%s\" must be a list of at most %jd %s", field->name, (intmax_t)field->max,
                      wanted);
}

static Err uuids_read(struct ctx *ctx, const struct job_field *field, const struct json *list,
                      void *payload)
{
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY || count > field->max)
        return list_refuse(ctx, field, "UUIDs");
    Uuid *ids = arena_array(ctx->arena, Uuid, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *id = json_at(list, i);
        if (json_kind(id) != JSON_STRING || !uuid_parse(json_str(id), &ids[i]))
            return list_refuse(ctx, field, "UUIDs");
    }
    *(const Uuid **)(void *)((char *)payload + field->at) = ids;
    *(uint32_t *)(void *)((char *)payload + field->count_at) = count;
    return OK;
}

static Err texts_read(struct ctx *ctx, const struct job_field *field, const struct json *list,
                      void *payload)
{
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY || count > field->max)
        return list_refuse(ctx, field, "strings");
    Str *texts = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (json_kind(json_at(list, i)) != JSON_STRING)
            return list_refuse(ctx, field, "strings");
        texts[i] = json_str(json_at(list, i));
    }
    *(const Str **)(void *)((char *)payload + field->at) = texts;
    *(uint32_t *)(void *)((char *)payload + field->count_at) = count;
    return OK;
}

static Err real_read(struct ctx *ctx, const struct job_field *field, const struct json *value,
                     double *ret)
{
    bool is_number = json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL;
    double number = is_number ? json_number(value) : -1;
    if (!(number >= 0 && number <= field->real_max))
        return fail_field(ctx, ERR_INVALID_PAYLOAD, field->name,
                          "\"%s\" must be a number from 0 to %g", field->name, field->real_max);
    *ret = number;
    return OK;
}

static Err field_read(struct ctx *ctx, const struct job_field *field, const struct json *object,
                      void *payload)
{
    void *at = (char *)payload + field->at;
    const struct json *value = json_get(object, str_from_z(field->name));
    if (field->type == JOB_FIELD_INT)
        *(int64_t *)at = field->initial;
    if (json_is_null(value))
        return OK;
    switch (field->type) {
    case JOB_FIELD_UUID:
        return json_take_uuid(ctx, object, field->name, at);
    case JOB_FIELD_INT:
        return json_take_int(ctx, object, field->name, field->min, field->max, at);
    case JOB_FIELD_REAL:
        return real_read(ctx, field, value, at);
    case JOB_FIELD_TEXT:
        return json_take_str(ctx, object, field->name, (size_t)field->max, at);
    case JOB_FIELD_UUIDS:
        return uuids_read(ctx, field, value, payload);
    case JOB_FIELD_TEXTS:
        return texts_read(ctx, field, value, payload);
    }
    return OK;
}

Err job_payload_read(struct ctx *ctx, const struct job_kind *kind, const struct job *job, void *ret)
{
    assert(kind->payload_size > 0);
    memset(ret, 0, kind->payload_size);
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const struct job_field *field = &kind->fields[i];
        TRY(field_read(ctx, field, job->payload, ret));
        if (field->is_required && is_absent(field, ret))
            return fail_field(ctx, ERR_INVALID_PAYLOAD, field->name, "%s is required", field->name);
    }
    return OK;
}
