#include "base/system/log.h"

#include "base/json/json_writer.h"
#include "base/system/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 8192,
    TAIL_BYTES = 32,  /* reserved for the end of a line */
    TEXT_BYTES = 2048 /* of one value: a long one must not displace the others */
};

static const char *const LEVEL_NAMES[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

/* Set by log_init before other threads start. */
static enum log_level level_min = LOG_INFO;
static const char *process_name = "spark";
static int target = STDERR_FILENO;

void log_init(enum log_level min, const char *process)
{
    assert((unsigned)min <= LOG_ERROR);
    level_min = min;
    process_name = process;
    bool is_stdout = str_eq(str_from_z(getenv("LOG_TARGET")), STR("stdout"));
    target = is_stdout ? STDOUT_FILENO : STDERR_FILENO;
}

bool log_is_on(enum log_level level)
{
    return level >= level_min;
}

bool log_level_parse(Str name, enum log_level *ret)
{
    for (unsigned i = 0; i <= LOG_ERROR; i++) {
        if (str_eq(name, str_from_z(LEVEL_NAMES[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void put_field(struct json_writer *w, const struct log_field *field)
{
    json_key(w, str_from_z(field->key));
    switch (field->kind) {
    case LOG_STR:
        json_put_str(w, str_cut(field->text, TEXT_BYTES));
        break;
    case LOG_INT:
        json_put_int(w, field->integer);
        break;
    case LOG_REAL:
        json_put_real(w, field->real);
        break;
    case LOG_BOOL:
        json_put_bool(w, field->integer != 0);
        break;
    case LOG_JSON:
        json_put_raw(w, field->text.len == 0 ? STR("null") : field->text);
        break;
    }
}

/* A field that does not fit is removed completely, so that the line stays valid JSON. */
static void put_fields(struct json_writer *w, const struct log_field *fields, size_t count)
{
    bool is_cut = false;
    for (size_t i = 0; i < count; i++) {
        size_t before = w->out->len;
        put_field(w, &fields[i]);
        if (!w->out->is_full)
            continue;
        w->out->len = before;
        w->out->is_full = false;
        w->needs_comma = true;
        is_cut = true;
    }
    w->out->max = LINE_MAX_BYTES;
    if (is_cut)
        json_field_bool(w, "truncated", true);
}

static void send_line(Str line)
{
    ssize_t sent;
    do {
        sent = write(target, line.data, line.len);
    } while (sent < 0 && errno == EINTR);
    /* A failure to write the log cannot be reported. */
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    static _Thread_local char line[LINE_MAX_BYTES];

    assert((unsigned)level <= LOG_ERROR);
    if (!log_is_on(level))
        return;
    struct buf out = {.data = line, .cap = sizeof line, .max = sizeof line - TAIL_BYTES};
    struct json_writer w = json_writer(&out);
    json_object_begin(&w);
    json_key(&w, STR("time"));
    json_put_time(&w, clock_wall_us());
    json_field_str(&w, "level", str_from_z(LEVEL_NAMES[level]));
    json_field_str(&w, "process", str_cut(str_from_z(process_name), TEXT_BYTES));
    json_field_str(&w, "event", str_cut(str_from_z(event), TEXT_BYTES));
    put_fields(&w, fields, count);
    json_object_end(&w);
    buf_put_char(&out, '\n');
    assert(!out.is_full && out.data == line);
    send_line(buf_str(&out));
}
