/*
 * Err: what can fail returns one; OK is 0. The code travels by value, the story (sentence, field
 * notes, file and line) in ctx->diag, where the edge finds it and renders it in the envelope of
 * the API being spoken. err.def decides HTTP status, wire code, message and retry: once.
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

/* One row of err.def. `message` holds "%s" where the reason goes; without it the reason is only an
 * extension. */
struct err_info {
    const char *name;
    const char *code;
    const char *message;
    int status;
    enum retry retry;
};
const struct err_info *err_info(Err err);

/* A fact beside the sentence, for programs: extensions.field, extensions.collection … */
struct diag_note {
    struct diag_note *next;
    const char *key;
    Str value;
    bool is_json; /* value is JSON text, not a string */
};

struct diag_entry {
    struct diag_entry *next;
    Err err;
    Str reason; /* the sentence given to fail(), at most 1 KiB of it; may be empty */
    struct diag_note *notes;
    const char *file;
    int line;
};

/* What went wrong in this request or job; several entries when bad input has several faults. */
struct diag {
    struct diag_entry *first;
    struct diag_entry *last;
    uint32_t count; /* reported; those beyond DIAG_ENTRIES_MAX are counted, not kept */
};

/* clang's analyzer reads one file at a time: untold, it believes that a refusal may be OK and that
 * what was refused is then used. */
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

/* Forgets earlier entries, records this one, returns `err`. Memory from ctx->arena. */
#define fail(ctx, err, ...)                                                                        \
    never_ok(diag_fail((ctx), (err), false, __FILE__, __LINE__, __VA_ARGS__))
/* Adds one more entry: report all bad fields at once. At most DIAG_ENTRIES_MAX are kept. */
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
/* fail, and one note. */
#define fail_noted(ctx, err, key, value, ...)                                                      \
    never_ok(diag_fail_noted((ctx), (key), (value), fail((ctx), (err), __VA_ARGS__)))
Err diag_fail_noted(struct ctx *ctx, const char *key, Str value, Err err);
/* The same, and the note is "field". */
#define fail_field(ctx, err, field, ...)                                                           \
    fail_noted(ctx, err, "field", str_from_z(field), __VA_ARGS__)

/* Everything recorded is forgotten: a caller that handles an error says so. */
void diag_clear(struct ctx *ctx);

/* The sentence of one entry as the wire shows it (message template + reason), in ctx->arena. */
Str diag_message(struct ctx *ctx, const struct diag_entry *entry);

/* The only macro that may return. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        Err try_err_ = (call);                                                                     \
        if (try_err_ != OK)                                                                        \
            return try_err_;                                                                       \
    } while (0)

/* A deliberate ignore, with its reason beside it. */
#define err_ignore(call, why)                                                                      \
    do {                                                                                           \
        Err ignored_ = (call);                                                                     \
        (void)ignored_;                                                                            \
        (void)("" why);                                                                            \
    } while (0)
