#include "base/memory/array.h"
#include "base/text/buf.h"
#include "factory/svg/internal.h"

#include <assert.h>
#include <inttypes.h>

enum { TOKEN_MAX = 32, FILLED_MAX = 64 * 1024 };

/* "width" or "width-80" → the number; false for other names. */
static bool number_of(Str token, const struct svg_template *t, int64_t *ret)
{
    const struct {
        Str name;
        int32_t value;
    } NUMBERS[] = {
        {STR("width"), t->width},
        {STR("height"), t->height},
        {STR("title_size"), t->title_size},
        {STR("subtitle_size"), t->subtitle_size},
    };
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        Str name = NUMBERS[i].name;
        int64_t less = 0;
        if (!str_starts_with(token, name))
            continue;
        bool is_alone = token.len == name.len;
        bool is_less = !is_alone && token.data[name.len] == '-' &&
                       str_to_i64(str_slice(token, name.len + 1, token.len), &less) && less >= 0 &&
                       less <= 10000;
        if (!is_alone && !is_less)
            continue;
        *ret = NUMBERS[i].value - less;
        return true;
    }
    return false;
}

static bool text_of(Str token, const struct svg_template *t, const struct svg_texts *texts,
                    Str *ret)
{
    const struct {
        Str name;
        Str value;
    } TEXTS[] = {
        {STR("gradient_start"), t->gradient_start},
        {STR("gradient_end"), t->gradient_end},
        {STR("text_color"), t->text_color},
        {STR("accent_color"), t->accent_color.len > 0 ? t->accent_color : t->text_color},
        {STR("font_family"), t->font_family},
        {STR("title"), texts->title},
        {STR("subtitle"), texts->subtitle},
        {STR("site_name"), texts->site_name},
        {STR("city"), texts->city},
        {STR("state"), texts->state},
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (!str_eq(token, TEXTS[i].name))
            continue;
        *ret = TEXTS[i].value;
        return true;
    }
    return false;
}

/* Values are data: a brace in a title does not start a token. */
Str svg_replace(struct arena *arena, Str text, const struct svg_template *template_,
                const struct svg_texts *texts, bool *ret_has_title)
{
    assert(template_ != NULL && texts != NULL);
    if (str_find_char(text, '{') < 0)
        return text;
    struct buf *out = buf_in_arena(arena, text.len + FILLED_MAX);
    for (size_t i = 0; i < text.len;) {
        Str rest = str_slice(text, i, text.len < i + TOKEN_MAX ? text.len : i + TOKEN_MAX);
        ptrdiff_t end = rest.data[0] == '{' ? str_find_char(rest, '}') : -1;
        Str token = end > 0 ? str_slice(rest, 1, (size_t)end) : STR_NONE;
        int64_t number;
        Str value;
        if (token.len > 0 && number_of(token, template_, &number)) {
            buf_put_i64(out, number);
        } else if (token.len > 0 && text_of(token, template_, texts, &value)) {
            buf_put(out, value);
            if (ret_has_title != NULL && str_eq(token, STR("title")))
                *ret_has_title = true;
        } else {
            buf_put_char(out, text.data[i++]);
            continue;
        }
        i += (size_t)end + 1;
    }
    return buf_str(out);
}

bool svg_fill(struct arena *arena, const struct svg_template *template_,
              const struct svg_texts *texts, Str *ret, Str *ret_refused)
{
    return svg_clean(arena, template_->source, template_, texts, ret, ret_refused);
}
