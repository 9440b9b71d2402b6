#include "base/settings/settings_form.h"

#include "base/memory/arena.h"
#include "base/text/ascii.h"

#include <assert.h>

static bool has_control(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

/* Non-empty after the scheme, without spaces. */
static bool is_url(Str text, Str scheme)
{
    return str_starts_with(text, scheme) && text.len > scheme.len && text.data[scheme.len] != '/' &&
           str_find_char(text, ' ') < 0;
}

/* "host=… port=…": libpq's keywords, none of which looks like a scheme. */
static bool is_conninfo(Str text)
{
    ptrdiff_t equals = str_find_char(text, '=');
    Str word = equals < 0 ? STR_NONE : str_trim(str_slice(text, 0, (size_t)equals));
    for (size_t i = 0; i < word.len; i++)
        if (word.data[i] != '_' && (word.data[i] < 'a' || word.data[i] > 'z'))
            return false;
    return word.len > 0;
}

/* Letters, digits and these: a name or a domain that no header can misread. */
static bool has_only(Str text, Str others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.data[i]) && str_find_char(others, text.data[i]) < 0)
            return false;
    return true;
}

static bool is_same_site(Str text)
{
    return str_eq_nocase(text, STR("lax")) || str_eq_nocase(text, STR("strict")) ||
           str_eq_nocase(text, STR("none"));
}

bool setting_form_fits(enum setting_form form, Str text)
{
    if (text.len == 0)
        return form != FORM_COOKIE_NAME && form != FORM_SAME_SITE;
    if (has_control(text))
        return form == FORM_ANY;
    switch (form) {
    case FORM_ANY:
        return true;
    case FORM_POSTGRES:
        return str_starts_with(text, STR("postgresql://")) ||
               str_starts_with(text, STR("postgres://")) || is_conninfo(text);
    case FORM_POOLER:
        return str_eq(text, STR("transaction"));
    case FORM_REDIS:
        return is_url(text, STR("redis://")) || str_starts_with(text, STR("unix:///"));
    case FORM_HTTP:
        return is_url(text, STR("http://")) || is_url(text, STR("https://"));
    case FORM_SMTP:
        return is_url(text, STR("smtp://")) || is_url(text, STR("smtps://"));
    case FORM_COOKIE_NAME:
        return text.len <= 64 && has_only(text, STR("-_."));
    case FORM_COOKIE_DOMAIN:
        return text.len <= 253 && has_only(text, STR("-."));
    case FORM_SAME_SITE:
        return is_same_site(text);
    }
    return false;
}

const char *setting_form_words(enum setting_form form)
{
    switch (form) {
    case FORM_ANY:
        return "a text";
    case FORM_POSTGRES:
        return "postgresql://[user[:password]@]host[:port]/database, or a connection string of "
               "libpq like \"host=… dbname=…\"";
    case FORM_POOLER:
        return "transaction, or empty where there is none";
    case FORM_REDIS:
        return "redis://[[user]:password@]host[:port][/db] or unix:///path";
    case FORM_HTTP:
        return "http://host or https://host";
    case FORM_SMTP:
        return "smtp://host[:port] or smtps://host[:port]";
    case FORM_COOKIE_NAME:
        return "1 to 64 letters, digits, dots, hyphens or underscores";
    case FORM_COOKIE_DOMAIN:
        return "a domain like example.com, or empty";
    case FORM_SAME_SITE:
        return "lax, strict or none";
    }
    return "";
}

Str setting_mask(struct arena *arena, Str text)
{
    assert(arena != NULL);
    if (str_find(text, STR("password")) >= 0 && str_find_char(text, '=') >= 0)
        return STR("*** (contains a password)");
    ptrdiff_t scheme = str_find(text, STR("://"));
    size_t start = scheme < 0 ? 0 : (size_t)scheme + 3;
    Str rest = str_slice(text, start, text.len);
    size_t host = rest.len;
    while (host > 0 && rest.data[host - 1] != '@')
        host--;
    ptrdiff_t colon = str_find_char(str_slice(rest, 0, host), ':');
    if (colon < 0)
        return text;
    size_t shown = start + (size_t)colon + 1;
    return str_printf(arena, "%.*s***@%.*s", (int)shown, text.data, (int)(rest.len - host),
                      rest.data + host);
}
