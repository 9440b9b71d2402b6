#include "server/http/reply.h"

#include "base/system/log.h"

#include <assert.h>

/* h2o writes values unchanged: a line break would allow header injection. */
static bool is_one_line(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    return true;
}

void reply_header(struct reply *reply, Str name, Str value)
{
    if (reply->header_count == REPLY_HEADERS_MAX || !is_one_line(name) || !is_one_line(value)) {
        log_event(LOG_ERROR, "reply_header_left_out", LOG_S("name", name));
        return;
    }
    reply->headers[reply->header_count].name = name;
    reply->headers[reply->header_count].value = value;
    reply->header_count++;
}

bool reply_has_header(const struct reply *reply, Str name)
{
    for (uint32_t i = 0; i < reply->header_count; i++)
        if (str_eq(reply->headers[i].name, name))
            return true;
    return false;
}

void reply_text(struct reply *reply, int status, Str content_type, Str text)
{
    reply->status = status;
    reply->content_type = content_type;
    buf_clear(reply->body);
    buf_put(reply->body, text);
}

void reply_no_content(struct reply *reply)
{
    reply->status = 204;
    reply->content_type = STR_NONE;
    buf_clear(reply->body);
}

/* Notes whose key starts with '_' are for the log alone. */
static void notes_write(struct json_writer *w, const struct diag_entry *entry)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next) {
        if (note->key[0] == '_')
            continue;
        json_key(w, str_from_z(note->key));
        if (note->is_json)
            json_put_raw(w, note->value);
        else
            json_put_str(w, note->value);
    }
}

static bool has_public_note(const struct diag_entry *entry)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next)
        if (note->key[0] != '_')
            return true;
    return false;
}

/* As in Directus: for messages that contain the reason, and for a refusal with a reason. */
static bool shows_reason(const struct diag_entry *entry)
{
    switch (entry->err) {
    case ERR_INVALID_PAYLOAD:
    case ERR_INVALID_QUERY:
    case ERR_INVALID_PATH_PARAMETER:
    case ERR_UNPROCESSABLE:
        return entry->reason.len > 0;
    case ERR_FORBIDDEN:
        return entry->reason.len > 0 &&
               !str_eq(entry->reason, STR("You don't have permission to access this."));
    default:
        return false;
    }
}

static void write_cms_error(struct ctx *ctx, struct json_writer *w, const struct diag_entry *entry)
{
    const struct err_info *info = err_info(entry->err);
    json_object_begin(w);
    json_field_str(w, "message", diag_message(ctx, entry));
    json_key(w, STR("extensions"));
    json_object_begin(w);
    if (shows_reason(entry))
        json_field_str(w, "reason", entry->reason);
    notes_write(w, entry);
    json_field_str(w, "code", str_from_z(info->code));
    json_object_end(w);
    json_object_end(w);
}

static void write_cms_errors(struct ctx *ctx, struct json_writer *w)
{
    json_object_begin(w);
    json_key(w, STR("errors"));
    json_array_begin(w);
    for (const struct diag_entry *entry = ctx->diag.first; entry != NULL; entry = entry->next)
        write_cms_error(ctx, w, entry);
    json_array_end(w);
    json_object_end(w);
}

static void write_api_fault(struct ctx *ctx, struct json_writer *w, const struct diag_entry *entry)
{
    json_object_begin(w);
    notes_write(w, entry);
    json_field_str(w, "message", diag_message(ctx, entry));
    json_field_str(w, "code", str_from_z(err_info(entry->err)->code));
    json_object_end(w);
}

static void write_api_error(struct ctx *ctx, struct json_writer *w)
{
    const struct diag_entry *first = ctx->diag.first;
    json_object_begin(w);
    json_field_bool(w, "error", true);
    json_field_str(w, "message", diag_message(ctx, first));
    json_field_str(w, "code", str_from_z(err_info(first->err)->code));
    if (has_public_note(first) || ctx->diag.count > 1) {
        json_key(w, STR("errors"));
        json_array_begin(w);
        for (const struct diag_entry *entry = first; entry != NULL; entry = entry->next)
            write_api_fault(ctx, w, entry);
        json_array_end(w);
    }
    json_object_end(w);
}

/* Handlers may set a specific time with the note "_retry_after", in seconds. */
static Str retry_after(const struct diag_entry *entry)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next)
        if (str_eq(str_from_z(note->key), STR("_retry_after")))
            return note->value;
    return STR("1");
}

void reply_error(struct ctx *ctx, struct reply *reply, enum envelope envelope, Err err)
{
    assert(err != OK);
    if (ctx->diag.first == NULL)
        err_ignore(fail_plain(ctx, err), "an Err without details still needs an entry");

    const struct err_info *info = err_info(ctx->diag.first->err);
    reply->status = info->status;
    reply->content_type = STR("application/json; charset=utf-8");
    if (info->retry == RETRY_LATER && (info->status == 503 || info->status == 429))
        reply_header(reply, STR("retry-after"), retry_after(ctx->diag.first));
    buf_clear(reply->body);
    struct json_writer w = json_writer(reply->body);
    if (envelope == ENVELOPE_CMS)
        write_cms_errors(ctx, &w);
    else
        write_api_error(ctx, &w);
}
