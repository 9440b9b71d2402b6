#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/text/regex.h"

#include "base/memory/array.h"
#include "base/memory/deep.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/ctx.h"
#include "base/text/regex_internal.h"

#include <assert.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NEST_MAX = 20, /* nested groups */
    /* Characters in all ranges of a case-insensitive pattern: pcre2 iterates over each of them, and
     * 4 KB of pattern can cover all of Unicode two hundred times, which takes a second. */
    FOLDED_MAX = 1200 * 1000,
    MATCH_LIMIT = 100000,     /* backtracking steps: some milliseconds */
    WORK_MAX = 4000000,       /* characters scanned; one step may scan many */
    MATCH_US = 20 * 1000,     /* for work that the two limits above do not count */
    MATCH_WALL_US = 5 * 1000, /* wall time before the CPU clock is read */
    DEPTH_LIMIT = 50 * 1000,  /* several for each character of a long text */
    HEAP_LIMIT_KB = 8192,
    HEAP_KEPT = 2 * 1024 * 1024, /* bytes that a thread keeps between matches */
    GROUPS_MAX = COUNT_OF(((struct regex_match){0}).groups),
};

/*
 * UTF: characters, not bytes; \C would split them. Callouts: on_step sees each step of a match. An
 * analysis that recurses through the whole pattern and only saves steps is disabled.
 */
static const uint32_t OPTIONS =
    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT | PCRE2_NO_AUTO_POSSESS;

struct regex {
    pcre2_code *code;
};

/* The cost of the running match. */
struct meter {
    size_t position; /* at the last step */
    size_t work;
    int64_t end_us;     /* 0: not set */
    int64_t cpu_end_us; /* 0: the wall time limit has not been reached */
};

/* Match data of a thread, created at its first match. */
struct match_scratch {
    pcre2_general_context *memory;
    pcre2_match_data *data;
    size_t largest; /* allocation since `data` was made */
    pcre2_match_context *limits;
    struct meter meter;
};

static _Thread_local struct match_scratch *match_scratch;
static pthread_key_t scratch_key;

static void *must(void *object)
{
    if (object == NULL) {
        (void)fputs("out of memory: pcre2\n", stderr);
        abort();
    }
    return object;
}

static void scratch_free(void *object)
{
    struct match_scratch *old = object;
    pcre2_match_data_free(old->data);
    pcre2_match_context_free(old->limits);
    pcre2_general_context_free(old->memory);
    free(old);
    match_scratch = NULL;
}

__attribute__((constructor)) static void make_scratch_key(void)
{
    if (pthread_key_create(&scratch_key, scratch_free) != 0)
        abort();
}

/* Threads clean up in their destructors, the main thread here. */
__attribute__((destructor)) static void free_scratch(void)
{
    if (match_scratch != NULL)
        scratch_free(match_scratch);
}

static void *allocate(size_t size, void *arg)
{
    struct match_scratch *scratch = arg;
    if (size > scratch->largest)
        scratch->largest = size;
    return malloc(size);
}

static void release(void *memory, void *arg)
{
    (void)arg;
    free(memory);
}

/* Backtracking of a long subject grows it, and it never shrinks by itself. */
static void data_renew(struct match_scratch *scratch)
{
    pcre2_match_data_free(scratch->data);
    scratch->largest = 0;
    scratch->data = must(pcre2_match_data_create(GROUPS_MAX, scratch->memory));
}

/* CPU time decides, so that load from other processes causes no refusal. Reading it is a system
 * call, so it is read only after the wall time limit. */
static bool is_late(struct meter *meter)
{
    int64_t now_us = clock_now_us();
    if (meter->end_us == 0)
        meter->end_us = now_us + MATCH_WALL_US;
    if (now_us < meter->end_us)
        return false;
    int64_t cpu_us = clock_thread_cpu_us();
    if (meter->cpu_end_us == 0)
        meter->cpu_end_us = cpu_us + MATCH_US - MATCH_WALL_US;
    return cpu_us >= meter->cpu_end_us;
}

static int on_step(pcre2_callout_block *block, void *arg)
{
    struct meter *meter = arg;
    size_t position = block->current_position;
    meter->work +=
        position > meter->position ? position - meter->position : meter->position - position;
    meter->position = position;
    return meter->work > WORK_MAX || is_late(meter) ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static struct match_scratch *scratch_get(void)
{
    if (match_scratch != NULL)
        return match_scratch;
    struct match_scratch *new = must(calloc(1, sizeof *new));
    new->memory = must(pcre2_general_context_create(allocate, release, new));
    data_renew(new);
    new->limits = must(pcre2_match_context_create(NULL));
    (void)pcre2_set_match_limit(new->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(new->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(new->limits, HEAP_LIMIT_KB);
    (void)pcre2_set_callout(new->limits, on_step, &new->meter);
    if (pthread_setspecific(scratch_key, new) != 0)
        abort();
    match_scratch = new;
    return new;
}

/* Compiling */

static bool may_ignore_case(Str pattern, unsigned flags)
{
    for (size_t i = 0; i + 2 < pattern.len && (flags & REGEX_NOCASE) == 0; i++) {
        if (pattern.data[i] != '(' || pattern.data[i + 1] != '?')
            continue;
        for (size_t k = i + 2;
             k < pattern.len && str_find_char(STR("imnsxJU^-"), pattern.data[k]) >= 0; k++)
            if (pattern.data[k] == 'i')
                return true;
    }
    return (flags & REGEX_NOCASE) != 0;
}

/* The highest code point that `text`, the text after a hyphen, may begin with. */
static uint32_t first_character(Str text)
{
    enum { OCTAL_MAX = 0777, UNICODE_MAX = 0x10ffff };
    while (text.len > 1 && (text.data[0] == ' ' || text.data[0] == '\t' ||
                            str_starts_with(text, STR("\\E")) || str_starts_with(text, STR("\\Q"))))
        text = str_slice(text, text.data[0] == '\\' ? 2 : 1, text.len);
    if (text.len == 0 || (unsigned char)text.data[0] >= 0xf0)
        return UNICODE_MAX;
    if ((unsigned char)text.data[0] >= 0x80)
        return (unsigned char)text.data[0] >= 0xe0 ? 0xffff : 0x7ff;
    ptrdiff_t brace = text.data[0] == '\\' ? str_find_char(str_slice(text, 0, 4), '{') : -1;
    if (brace < 0)
        return OCTAL_MAX; /* \777 is the maximum without braces */
    uint32_t value = 0;
    for (size_t i = (size_t)brace + 1; i < text.len && text.data[i] != '}'; i++) {
        char c = text.data[i];
        uint32_t digit =
            c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 32) - 'a' + 10);
        if (c != ' ' && c != 'U' && c != '+') /* \N{U+10ffff} */
            value = digit < 16 && value <= UNICODE_MAX ? value * 16 + digit : UNICODE_MAX;
    }
    return value;
}

/* An upper bound: every hyphen counts as a range that begins with the first character. */
static bool folds_too_much(Str pattern, unsigned flags)
{
    if (!may_ignore_case(pattern, flags))
        return false;
    uint64_t folded = 0;
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] == '-')
            folded += first_character(str_slice(pattern, i + 1, pattern.len));
    return folded > FOLDED_MAX;
}

struct compiling {
    Str pattern;
    unsigned flags;
    pcre2_code *code;
    struct regex_fault fault;
};

static void compile_deep(void *arg)
{
    struct compiling *it = arg;
    uint32_t options = OPTIONS;
    if ((it->flags & REGEX_NOCASE) != 0)
        options |= PCRE2_CASELESS;
    if ((it->flags & REGEX_WHOLE) != 0)
        options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NO_START_OPTIMIZE;
    pcre2_compile_context *context = must(pcre2_compile_context_create(NULL));
    (void)pcre2_set_parens_nest_limit(context, NEST_MAX);
    (void)pcre2_set_max_pattern_length(context, REGEX_PATTERN_MAX);
    PCRE2_SPTR text = (PCRE2_SPTR)(it->pattern.len == 0 ? "" : it->pattern.data);
    it->code =
        pcre2_compile(text, it->pattern.len, options, &it->fault.code, &it->fault.offset, context);
    pcre2_compile_context_free(context);
}

struct regex *regex_try_compile(Str pattern, unsigned flags, struct regex_fault *ret_fault)
{
    if (pattern.len <= REGEX_PATTERN_MAX && folds_too_much(pattern, flags)) {
        *ret_fault = (struct regex_fault){.code = REGEX_FOLDS_TOO_MUCH};
        return NULL;
    }
    struct compiling it = {.pattern = pattern, .flags = flags};
    deep_call(compile_deep, &it);
    counter_inc(regex_compiles);
    if (it.code == NULL) {
        *ret_fault = it.fault;
        return NULL;
    }
    struct regex *regex = must(calloc(1, sizeof *regex));
    regex->code = it.code;
    return regex;
}

Err regex_refuse(struct ctx *ctx, struct regex_fault fault)
{
    char words[256] = "too many characters in ranges that ignore case";
    if (fault.code != REGEX_FOLDS_TOO_MUCH)
        (void)pcre2_get_error_message(fault.code, (PCRE2_UCHAR *)words, sizeof words);
    return fail(ctx, ERR_FAILED_VALIDATION, "Invalid regular expression at offset %zu: %s.",
                fault.offset, words);
}

size_t regex_size(const struct regex *regex)
{
    size_t size = 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &size);
    return sizeof *regex + size;
}

Err regex_compile(struct ctx *ctx, Str pattern, unsigned flags, struct regex **ret)
{
    struct regex_fault fault;
    struct regex *regex = regex_try_compile(pattern, flags, &fault);
    if (regex == NULL)
        return regex_refuse(ctx, fault);
    *ret = regex;
    return OK;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

struct regex *regex_must_compile(const char *pattern)
{
    struct regex_fault fault;
    struct regex *regex = regex_try_compile(str_from_z(pattern), 0, &fault);
    if (regex == NULL) {
        (void)fprintf(stderr, "regular expression '%s' fails at %zu\n", pattern, fault.offset);
        abort();
    }
    return regex;
}

/* Matching */

static void copy_groups(const struct match_scratch *scratch, Str subject, int count,
                        struct regex_match *ret)
{
    const size_t *ends = pcre2_get_ovector_pointer(scratch->data);
    *ret = (struct regex_match){.count = count == 0 ? GROUPS_MAX : (uint32_t)count};
    for (uint32_t i = 0; i < ret->count; i++) {
        size_t from = ends[2 * i];
        size_t to = ends[2 * i + 1];
        /* \K in a lookahead can put the start after the end. */
        if (from != PCRE2_UNSET && from <= to)
            ret->groups[i] = str_of(subject.data + from, to - from);
    }
}

bool regex_match(const struct regex *regex, Str subject, struct regex_match *ret)
{
    if (!str_is_utf8(subject))
        return false;
    if (subject.len == 0)
        subject = STR("");
    struct match_scratch *scratch = scratch_get();
    if (scratch->largest > HEAP_KEPT)
        data_renew(scratch);
    scratch->meter = (struct meter){0};
    int count = pcre2_match(regex->code, (PCRE2_SPTR)subject.data, subject.len, 0,
                            PCRE2_NO_UTF_CHECK, scratch->data, scratch->limits);
    if (count < 0) {
        if (count != PCRE2_ERROR_NOMATCH)
            counter_inc(regex_limit_hits);
        return false;
    }
    if (ret != NULL)
        copy_groups(scratch, subject, count, ret);
    return true;
}
