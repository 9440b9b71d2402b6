#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/regex.h"

#include "base/counters.h"
#include "base/ctx.h"

#include <assert.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PATTERN_MAX = 4096,   /* bytes */
    NEST_MAX = 20,        /* groups in groups: what compiling on a fiber's stack can bear */
    MATCH_LIMIT = 100000, /* a millisecond or two of backtracking: a form may have 100 patterns */
    DEPTH_LIMIT = 10000,
    HEAP_LIMIT_KB = 2048,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    GROUPS_MAX = sizeof((struct regex_match){0}.groups) / sizeof(Str),
};

struct regex {
    pcre2_code *code;
    bool has_jit;
};

/* What matching needs besides the pattern: one set a thread, made at its first match. */
struct workshop {
    pcre2_match_data *data;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack;
};

static _Thread_local struct workshop *workshop;
static pthread_key_t workshop_key;

static void *must(void *object)
{
    if (object == NULL) {
        (void)fputs("out of memory: pcre2\n", stderr);
        abort();
    }
    return object;
}

static void workshop_free(void *object)
{
    struct workshop *old = object;
    pcre2_match_data_free(old->data);
    pcre2_match_context_free(old->limits);
    pcre2_jit_stack_free(old->stack);
    free(old);
    workshop = NULL;
}

__attribute__((constructor)) static void make_workshop_key(void)
{
    if (pthread_key_create(&workshop_key, workshop_free) != 0)
        abort();
}

/* Threads clean up by themselves, the main one here. */
__attribute__((destructor)) static void close_workshop(void)
{
    if (workshop != NULL)
        workshop_free(workshop);
}

static struct workshop *workshop_get(void)
{
    if (workshop != NULL)
        return workshop;
    struct workshop *new = must(calloc(1, sizeof *new));
    new->data = must(pcre2_match_data_create(GROUPS_MAX, NULL));
    new->limits = must(pcre2_match_context_create(NULL));
    new->stack = must(pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX, NULL));
    (void)pcre2_set_match_limit(new->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(new->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(new->limits, HEAP_LIMIT_KB);
    pcre2_jit_stack_assign(new->limits, NULL, new->stack);
    if (pthread_setspecific(workshop_key, new) != 0)
        abort();
    workshop = new;
    return new;
}

static pcre2_code *compile(Str pattern, bool ignore_case, int *ret_fault, size_t *ret_offset)
{
    /* \C would cut characters in two. */
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | (ignore_case ? PCRE2_CASELESS : 0);
    pcre2_compile_context *context = must(pcre2_compile_context_create(NULL));
    (void)pcre2_set_parens_nest_limit(context, NEST_MAX);
    (void)pcre2_set_max_pattern_length(context, PATTERN_MAX);
    PCRE2_SPTR text = (PCRE2_SPTR)(pattern.len == 0 ? "" : pattern.data);
    pcre2_code *code = pcre2_compile(text, pattern.len, options, ret_fault, ret_offset, context);
    pcre2_compile_context_free(context);
    return code;
}

static struct regex *wrap(pcre2_code *code)
{
    struct regex *regex = must(calloc(1, sizeof *regex));
    regex->code = code;
    regex->has_jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    return regex;
}

Err regex_compile(struct ctx *ctx, Str pattern, bool ignore_case, struct regex **ret)
{
    int fault;
    size_t offset;
    pcre2_code *code = compile(pattern, ignore_case, &fault, &offset);
    if (code == NULL) {
        char words[256] = "";
        (void)pcre2_get_error_message(fault, (PCRE2_UCHAR *)words, sizeof words);
        return fail(ctx, ERR_FAILED_VALIDATION, "Invalid regular expression at offset %zu: %s.",
                    offset, words);
    }
    *ret = wrap(code);
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
    int fault;
    size_t offset;
    pcre2_code *code = compile(str_from_z(pattern), false, &fault, &offset);
    if (code == NULL) {
        (void)fprintf(stderr, "regular expression '%s' fails at %zu\n", pattern, offset);
        abort();
    }
    return wrap(code);
}

static void copy_groups(const struct workshop *shop, Str subject, int count,
                        struct regex_match *ret)
{
    const size_t *ends = pcre2_get_ovector_pointer(shop->data);
    *ret = (struct regex_match){.count = count == 0 ? GROUPS_MAX : (uint32_t)count};
    for (uint32_t i = 0; i < ret->count; i++) {
        size_t from = ends[2 * i];
        size_t to = ends[2 * i + 1];
        /* \K in a lookahead can put the start behind the end. */
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
    struct workshop *shop = workshop_get();
    PCRE2_SPTR text = (PCRE2_SPTR)subject.data;
    int count = regex->has_jit ? pcre2_jit_match(regex->code, text, subject.len, 0, 0, shop->data,
                                                 shop->limits)
                               : pcre2_match(regex->code, text, subject.len, 0, PCRE2_NO_UTF_CHECK,
                                             shop->data, shop->limits);
    if (count < 0) {
        if (count != PCRE2_ERROR_NOMATCH)
            counter_inc(regex_limit_hits);
        return false;
    }
    if (ret != NULL)
        copy_groups(shop, subject, count, ret);
    return true;
}
