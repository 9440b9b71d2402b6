#include "runtime/statement_check.h"

#include "base/memory/array.h"
#include "base/text/ascii.h"

#include <assert.h>
#include <string.h>

/* Names in lower case, as PostgreSQL folds them. A trailing '*' matches any suffix. */
static const struct {
    Str name;
    const char *fault;
} REFUSED[] = {
    {STR_INIT("set_config"), "may not change settings"},
    {STR_INIT("query_to_xml*"), "may not run text as SQL"},
    {STR_INIT("cursor_to_xml*"), "may not run text as SQL"},
    {STR_INIT("ts_stat"), "may not run text as SQL"},
    {STR_INIT("ts_rewrite"), "may not run text as SQL"},
    {STR_INIT("dblink*"), "may not run text as SQL"},
    {STR_INIT("pg_temp*"), "may not use temporary tables"},
    {STR_INIT("pg_advisory_lock*"), "may not take a lock that outlives it"},
    {STR_INIT("pg_try_advisory_lock*"), "may not take a lock that outlives it"},
    {STR_INIT("pg_terminate_backend"), "may not touch other sessions"},
    {STR_INIT("pg_cancel_backend"), "may not touch other sessions"},
};

enum { NAME_MAX_LEN = 63 };

struct scan {
    Str sql;
    size_t at;
    char name[NAME_MAX_LEN + 1]; /* the current identifier or word */
    size_t name_len;
};

static char peek(const struct scan *scan, size_t ahead)
{
    return scan->at + ahead < scan->sql.len ? scan->sql.data[scan->at + ahead] : '\0';
}

static bool is_name_start(char c)
{
    return ascii_is_letter(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || ascii_is_digit(c) || c == '$';
}

/* From after the opening quote to after the closing one; a doubled quote is part of the text. */
static void skip_quoted(struct scan *scan, char quote, bool has_backslashes)
{
    while (scan->at < scan->sql.len) {
        char c = scan->sql.data[scan->at++];
        if ((c == '\\' && has_backslashes) || (c == quote && peek(scan, 0) == quote))
            scan->at++;
        else if (c == quote)
            return;
    }
}

static void skip_comment(struct scan *scan);

/* E'…' and its continuations: literals separated only by white space are one literal. */
static void skip_escaped(struct scan *scan)
{
    do {
        scan->at++; /* the opening quote */
        skip_quoted(scan, '\'', true);
        while (scan->at < scan->sql.len && strchr(" \t\r\n\f\v-", peek(scan, 0)) != NULL) {
            if (peek(scan, 0) != '-')
                scan->at++;
            else if (peek(scan, 1) == '-')
                skip_comment(scan);
            else
                break;
        }
    } while (peek(scan, 0) == '\'');
}

static void skip_comment(struct scan *scan)
{
    bool is_line = peek(scan, 0) == '-';
    int depth = 0;
    while (scan->at < scan->sql.len) {
        if (is_line && peek(scan, 0) == '\n')
            return;
        bool opens = !is_line && peek(scan, 0) == '/' && peek(scan, 1) == '*';
        bool closes = !is_line && peek(scan, 0) == '*' && peek(scan, 1) == '/';
        depth += opens - closes;
        scan->at += opens || closes ? 2 : 1;
        if (closes && depth == 0)
            return;
    }
}

/* $tag$ … $tag$; a single $ (of $1) is skipped. */
static void skip_dollars(struct scan *scan)
{
    size_t end = scan->at + 1;
    while (end < scan->sql.len && is_name_part(scan->sql.data[end]) && scan->sql.data[end] != '$')
        end++;
    bool is_number = ascii_is_digit(peek(scan, 1));
    if (is_number || end >= scan->sql.len || scan->sql.data[end] != '$') {
        scan->at++;
        return;
    }
    Str tag = str_slice(scan->sql, scan->at, end + 1);
    ptrdiff_t close = str_find(str_slice(scan->sql, end + 1, scan->sql.len), tag);
    scan->at = close < 0 ? scan->sql.len : end + 1 + (size_t)close + tag.len;
}

static void name_add(struct scan *scan, char c)
{
    if (scan->name_len < NAME_MAX_LEN)
        scan->name[scan->name_len++] = c;
}

static void take_word(struct scan *scan)
{
    scan->name_len = 0;
    for (; scan->at < scan->sql.len && is_name_part(scan->sql.data[scan->at]); scan->at++) {
        char c = scan->sql.data[scan->at];
        name_add(scan, ascii_lower(c));
    }
}

static void take_quoted_name(struct scan *scan)
{
    scan->name_len = 0;
    scan->at++;
    while (scan->at < scan->sql.len) {
        char c = scan->sql.data[scan->at++];
        if (c == '"' && peek(scan, 0) != '"')
            return;
        if (c == '"')
            scan->at++;
        name_add(scan, c);
    }
}

/* Advances to the next identifier or word, skipping literals and comments; false at the end. */
static bool next_name(struct scan *scan, bool *ret_is_quoted)
{
    while (scan->at < scan->sql.len) {
        char c = peek(scan, 0);
        bool is_comment = (c == '-' && peek(scan, 1) == '-') || (c == '/' && peek(scan, 1) == '*');
        *ret_is_quoted = c == '"';
        if (is_comment) {
            skip_comment(scan);
        } else if (c == '\'') {
            scan->at++;
            skip_quoted(scan, '\'', false);
        } else if ((c == 'e' || c == 'E') && peek(scan, 1) == '\'') {
            scan->at++;
            skip_escaped(scan);
        } else if (c == '$') {
            skip_dollars(scan);
        } else if (c == '"') {
            take_quoted_name(scan);
            return true;
        } else if (is_name_start(c)) {
            take_word(scan);
            return true;
        } else {
            scan->at++;
            while (ascii_is_digit(c) && is_name_part(peek(scan, 0)) && peek(scan, 0) != '$')
                scan->at++; /* 1e5 is not a name */
        }
    }
    return false;
}

static const char *name_fault(Str name)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        Str refused = REFUSED[i].name;
        bool is_prefix = str_ends_with(refused, STR("*"));
        if (is_prefix ? str_starts_with(name, str_slice(refused, 0, refused.len - 1))
                      : str_eq(name, refused))
            return REFUSED[i].fault;
    }
    return NULL;
}

/* SELECT … INTO creates a table; the INTO of an INSERT or MERGE follows its verb. */
static bool makes_table(Str word, bool follows_verb)
{
    return str_eq(word, STR("into")) && !follows_verb;
}

const char *statement_fault(Str sql)
{
    struct scan scan = {.sql = sql};
    bool is_quoted = false;
    bool follows_verb = false;
    while (next_name(&scan, &is_quoted)) {
        Str name = str_of(scan.name, scan.name_len);
        bool is_escaped = !is_quoted && str_eq(name, STR("u")) && peek(&scan, 0) == '&' &&
                          (peek(&scan, 1) == '"' || peek(&scan, 1) == '\'');
        if (is_escaped)
            return "may not spell names or texts with U&";
        const char *fault = name_fault(name);
        if (fault != NULL)
            return fault;
        if (!is_quoted && makes_table(name, follows_verb))
            return "may not make tables";
        follows_verb = !is_quoted && (str_eq(name, STR("insert")) || str_eq(name, STR("merge")));
    }
    return NULL;
}
