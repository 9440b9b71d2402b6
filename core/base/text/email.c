#include "base/text/email.h"

#include <string.h>

static bool is_letter_or_digit(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static bool local_is_valid(Str local)
{
    char before = '.';
    if (local.len == 0 || local.len > EMAIL_LOCAL_MAX)
        return false;
    for (size_t i = 0; i < local.len; i++) {
        char c = local.data[i];
        bool is_atom =
            is_letter_or_digit((unsigned char)c) || strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
        if (!is_atom && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return before != '.';
}

static bool label_is_valid(Str label)
{
    if (label.len == 0 || label.len > EMAIL_LABEL_MAX)
        return false;
    if (label.data[0] == '-' || label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_letter_or_digit((unsigned char)label.data[i]) && label.data[i] != '-')
            return false;
    }
    return true;
}

/* The last label is that of a top-level domain: no number, and longer than one letter. */
static bool domain_is_valid(Str domain)
{
    Str rest = domain;
    Str label = STR_NONE;
    uint32_t count = 0;
    while (str_next(&rest, '.', &label)) {
        if (!label_is_valid(label))
            return false;
        count++;
    }
    bool is_number = label.len > 0 && label.data[0] >= '0' && label.data[0] <= '9';
    bool ends = domain.len > 0 && domain.data[domain.len - 1] != '.';
    return ends && count >= 2 && label.len >= 2 && !is_number;
}

bool email_is_valid(Str email)
{
    ptrdiff_t at = str_find_char(email, '@');
    if (at < 0 || email.len > EMAIL_MAX || memchr(email.data, 0, email.len) != NULL)
        return false;
    return local_is_valid(str_slice(email, 0, (size_t)at)) &&
           domain_is_valid(str_slice(email, (size_t)at + 1, email.len));
}
