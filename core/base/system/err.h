/*
 * Err: the result of every function that can fail; OK is 0. The code is the return value; the
 * details (message, field notes, file and line) are in ctx->diag, from which the server renders the
 * error in the envelope of the API. err.def defines HTTP status, wire code, message and retry.
 */
#pragma once

#include "base/text/str.h"

struct ctx;

typedef enum [[nodiscard]] Err{OK = 0,
#define ERROR(name, status, code, message, retry) ERR_##name,
#include "base/system/err.def"
#undef ERROR
                               ERR_COUNT} Err;

enum retry { RETRY_NEVER, RETRY_LATER };

/* One row of err.def. "%s" in `message` is replaced by the reason; without it the reason appears
 * only in the extensions. */
struct err_info {
    const char *name;
    const char *code;
    const char *message;
    int status;
    enum retry retry;
};
const struct err_info *err_info(Err err);

/* A machine-readable note beside the message: extensions.field, extensions.collection … */
struct diag_note {
    struct diag_note *next;
    const char *key;
    Str value;
    bool is_json; /* value is JSON text, not a string */
};

struct diag_entry {
    struct diag_entry *next;
    Err err;
    Str reason; /* the message given to fail(), at most 1 KiB of it; may be empty */
    struct diag_note *notes;
    const char *file;
    int line;
};

/* The errors of this request or job; several entries when the input has several faults. */
struct diag {
    struct diag_entry *first;
    struct diag_entry *last;
    uint32_t count; /* reported; those beyond DIAG_ENTRIES_MAX are counted, not stored */
};

/* clang's analyzer reads one file at a time. Without this hint it assumes that fail() may return OK
 * and that the refused value is then used. */
#ifdef __clang_analyzer__
#define never_ok(call)                                                                             \
    __extension__({                                                                                \
        Err never_ok_ = (call);                                                                    \
        if (never_ok_ == OK)                                                                       \
            __builtin_unreachable();                                                               \
        never_ok_;                                                                                 \
    })
#else
#define never_ok(call) (call)
#endif

/* Clears earlier entries, records this one, returns `err`. Allocates from ctx->arena. */
#define fail(ctx, err, ...)                                                                        \
    never_ok(diag_fail((ctx), (err), false, __FILE__, __LINE__, __VA_ARGS__))
/* Adds one more entry, to report all invalid fields together. At most DIAG_ENTRIES_MAX are
 * stored. */
#define fail_also(ctx, err, ...)                                                                   \
    never_ok(diag_fail((ctx), (err), true, __FILE__, __LINE__, __VA_ARGS__))
enum { DIAG_ENTRIES_MAX = 64 };
/* For an error whose message needs no reason: fail_plain(ctx, ERR_TOKEN_EXPIRED). */
#define fail_plain(ctx, err) fail(ctx, err, "%s", "")

Err diag_fail(struct ctx *ctx, Err err, bool add, const char *file, int line, const char *format,
              ...) __attribute__((format(printf, 6, 7)));

/* Adds a note to the latest entry. */
void fail_note(struct ctx *ctx, const char *key, Str value);
void fail_note_json(struct ctx *ctx, const char *key, Str json);
/* fail with one note. */
#define fail_noted(ctx, err, key, value, ...)                                                      \
    never_ok(diag_fail_noted((ctx), (key), (value), fail((ctx), (err), __VA_ARGS__)))
Err diag_fail_noted(struct ctx *ctx, const char *key, Str value, Err err);
/* The same with the note "field". */
#define fail_field(ctx, err, field, ...)                                                           \
    fail_noted(ctx, err, "field", str_from_z(field), __VA_ARGS__)

/* Clears all entries: a caller that handles an error must call this. */
void diag_clear(struct ctx *ctx);

/* The message of one entry as shown on the wire (message template + reason), in ctx->arena. */
Str diag_message(struct ctx *ctx, const struct diag_entry *entry);

/* The only macro that may return from its caller. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        Err try_err_ = (call);                                                                     \
        if (try_err_ != OK)                                                                        \
            return try_err_;                                                                       \
    } while (0)

/* Ignores an error deliberately, with the reason beside it. */
#define err_ignore(call, why)                                                                      \
    do {                                                                                           \
        Err ignored_ = (call);                                                                     \
        (void)ignored_;                                                                            \
        (void)("" why);                                                                            \
    } while (0)
