#include "base/system/err.h"

#include "base/memory/list.h"
#include "base/system/ctx.h"
#include "base/system/range.h"

#include <assert.h>
#include <stdio.h>

enum { REASON_MAX = 1024 };

static const struct err_info INFO[ERR_COUNT] = {
    [OK] = {"OK", "OK", "", 200, RETRY_NEVER},
#define ERROR(name, status, code, message, retry)                                                  \
    [ERR_##name] = {#name, code, message, status, retry},
#include "base/system/err.def"
#undef ERROR
};

/* The text of messages that consist of the reason alone, if no reason was given. */
static const char *const WITHOUT_REASON[ERR_COUNT] = {
    [ERR_FORBIDDEN] = "You don't have permission to access this.",
    [ERR_FAILED_VALIDATION] = "Validation failed.",
    [ERR_NOT_UNIQUE] = "Value has to be unique.",
    [ERR_NOT_NULL] = "Value can't be null.",
    [ERR_CONTAINS_NULLS] = "Field contains null values.",
    [ERR_VALUE_TOO_LONG] = "Value is too long.",
    [ERR_VALUE_OUT_OF_RANGE] = "Value is out of range.",
    [ERR_INVALID_FOREIGN_KEY] = "Invalid foreign key.",
    [ERR_METHOD_NOT_ALLOWED] = "Method not allowed.",
    [ERR_UNSUPPORTED_MEDIA_TYPE] = "Unsupported media type.",
    [ERR_TOO_LARGE] = "Content is too large.",
    [ERR_RATE_LIMITED] = "Too many requests.",
    [ERR_UNAVAILABLE] = "Service is unavailable.",
    [ERR_INVALID_JSON] = "Invalid JSON.",
    [ERR_UNAUTHENTICATED] = "Authentication is required.",
    [ERR_NOT_FOUND] = "Not found.",
    [ERR_UNKNOWN_SITE] = "Unknown site.",
    [ERR_CONFLICT] = "The item was changed by somebody else.",
    [ERR_QUALITY_GATE] = "The quality gate holds this back.",
    [ERR_INVALID_SPINTAX] = "Invalid spintax.",
    [ERR_OUTBOUND_REFUSED] = "The other side refused.",
    [ERR_EXTENSION] = "An extension failed.",
    [ERR_CONFIG] = "Invalid configuration.",
};

const struct err_info *err_info(Err err)
{
    assert((unsigned)err < ERR_COUNT);
    return &INFO[err];
}

static Str format_reason(struct arena *arena, const char *format, va_list args)
{
    char text[REASON_MAX + 2]; /* one byte more than the maximum, to detect a cut character */
    int len = vsnprintf(text, sizeof text, format, args);
    assert(len >= 0);
    size_t held = min_size((size_t)len, sizeof text - 1);
    return str_dup(arena, str_cut(str_of(text, held), REASON_MAX));
}

Err diag_fail(struct ctx *ctx, Err err, bool add, const char *file, int line, const char *format,
              ...)
{
    assert(err != OK && (unsigned)err < ERR_COUNT);
    struct diag *diag = &ctx->diag;
    if (!add)
        diag_clear(ctx);
    diag->count++;
    if (diag->count > DIAG_ENTRIES_MAX)
        return err;
    struct diag_entry *entry = arena_new(ctx->arena, struct diag_entry);
    va_list args;
    va_start(args, format);
    *entry = (struct diag_entry){
        .err = err,
        .reason = format_reason(ctx->arena, format, args),
        .file = file,
        .line = line,
    };
    va_end(args);
    LIST_APPEND(diag->first, diag->last, entry);
    return err;
}

static void add_note(struct ctx *ctx, const char *key, Str value, bool is_json)
{
    struct diag_entry *entry = ctx->diag.last;
    assert(entry != NULL); /* a note requires a preceding fail() */
    if (ctx->diag.count > DIAG_ENTRIES_MAX)
        return; /* the note of an entry that was dropped */
    struct diag_note *note = arena_new(ctx->arena, struct diag_note);
    *note = (struct diag_note){.key = key, .value = str_dup(ctx->arena, value), .is_json = is_json};
    LIST_APPEND_SHORT(entry->notes, note);
}

void fail_note(struct ctx *ctx, const char *key, Str value)
{
    add_note(ctx, key, value, false);
}

void fail_note_json(struct ctx *ctx, const char *key, Str json)
{
    add_note(ctx, key, json, true);
}

Err diag_fail_noted(struct ctx *ctx, const char *key, Str value, Err err)
{
    fail_note(ctx, key, value);
    return err;
}

void diag_clear(struct ctx *ctx)
{
    ctx->diag = (struct diag){0};
}

Str diag_message(struct ctx *ctx, const struct diag_entry *entry)
{
    const char *template = err_info(entry->err)->message;
    Str whole = str_from_z(template);
    ptrdiff_t hole = str_find(whole, STR("%s"));
    if (hole < 0)
        return whole;
    Str before = str_slice(whole, 0, (size_t)hole);
    Str after = str_slice(whole, (size_t)hole + 2, whole.len);
    if (entry->reason.len == 0) {
        if (WITHOUT_REASON[entry->err] != NULL)
            return str_from_z(WITHOUT_REASON[entry->err]);
        before = str_trim(before);
    }
    /* A reason that is a whole sentence has its own full stop. */
    Str left = entry->reason.len == 0 ? before : entry->reason;
    if (str_eq(after, STR(".")) && str_ends_with(left, after))
        after = STR("");
    return str_printf(ctx->arena, "%.*s%.*s%.*s", STR_FMT(before), STR_FMT(entry->reason),
                      STR_FMT(after));
}
