/*
 * The log: one JSON object a line on standard error (or standard output, LOG_TARGET). Front ends
 * log, core/ returns errors. Event names are constants, values are fields; no secrets, no personal
 * data.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_init(enum log_level min, const char *process); /* "server", "worker-1" … */
bool log_is_on(enum log_level level);
/* "debug", "info", "warn", "error"; false on anything else. */
bool log_level_parse(Str name, enum log_level *ret);

struct log_field {
    const char *key;
    enum { LOG_STR, LOG_INT, LOG_REAL, LOG_BOOL, LOG_JSON } kind;
    Str text;
    int64_t integer;
    double real;
};

#define LOG_S(key, str) ((struct log_field){(key), LOG_STR, (str), 0, 0})
#define LOG_Z(key, z) ((struct log_field){(key), LOG_STR, str_from_z(z), 0, 0})
#define LOG_I(key, value) ((struct log_field){(key), LOG_INT, STR_NONE, (int64_t)(value), 0})
#define LOG_R(key, value) ((struct log_field){(key), LOG_REAL, STR_NONE, 0, (value)})
#define LOG_B(key, value) ((struct log_field){(key), LOG_BOOL, STR_NONE, (value), 0})

/* log_event(LOG_INFO, "listening", LOG_S("address", a), LOG_I("port", 8055)); */
#define log_event(level, ...) LOG_WITH_END_(level, __VA_ARGS__, ((struct log_field){0}))
/* The end marker avoids an empty list for an event without fields. */
#define LOG_WITH_END_(level, event, ...)                                                           \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                           \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field) - 1)

/* One write(2) per line, at most 8 KiB: a value is cut at 2 KiB, a field that does not fit is left
 * out. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);
