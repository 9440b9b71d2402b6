#include "factory/articles/seo.h"

#include "base/json/json_writer.h"
#include "factory/text/text.h"

#include <assert.h>

Str seo_meta_title(struct arena *arena, Str headline)
{
    Str plain = text_normalise(arena, text_plain(arena, headline, TEXT_ALL));
    ptrdiff_t space = str_find_char(plain, ' ');
    size_t first_word =
        str_count_codepoints(space < 0 ? plain : str_slice(plain, 0, (size_t)space));
    return text_cut(plain, first_word > SEO_TITLE_MAX ? SEO_TITLE_HARD_MAX : SEO_TITLE_MAX);
}

/* Removes punctuation that should not precede "…". */
static Str trim_punctuation(Str text)
{
    while (text.len > 0 && str_find_char(STR(" ,;:.-"), text.data[text.len - 1]) >= 0)
        text.len--;
    return text;
}

Str seo_meta_description(struct arena *arena, Str html)
{
    /* More than enough bytes for the description, so that the rest of the article is not parsed. */
    const size_t enough = SEO_DESCRIPTION_MAX * 6;
    Str plain = text_plain_head(arena, html, TEXT_WITHOUT_HEADINGS, enough);
    if (plain.len == 0)
        plain = text_plain_head(arena, html, TEXT_ALL, enough);
    plain = text_normalise(arena, plain);
    Str cut = text_cut(plain, SEO_DESCRIPTION_MAX);
    if (cut.len == plain.len)
        return plain;
    cut = trim_punctuation(text_cut(plain, SEO_DESCRIPTION_MAX - 1));
    return str_printf(arena, "%.*s…", STR_FMT(cut));
}

static void put_time(struct json_writer *w, Str key, int64_t wall_us)
{
    if (wall_us == 0)
        return;
    json_key(w, key);
    json_put_time(w, wall_us);
}

static void put_organization(struct json_writer *w, Str key, Str name)
{
    if (name.len == 0)
        return;
    json_key(w, key);
    json_object_begin(w);
    json_field_str(w, "@type", STR("Organization"));
    json_field_str(w, "name", name);
    json_object_end(w);
}

Str seo_json_ld(struct arena *arena, const struct seo_article *article)
{
    assert(article != NULL);
    enum { JSON_LD_MAX = 64 * 1024 };
    struct buf *out = buf_in_arena(arena, JSON_LD_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_str(&w, "@context", STR("https://schema.org"));
    json_field_str(&w, "@type", article->type.len > 0 ? article->type : STR("Article"));
    json_field_str(&w, "headline", text_cut(article->headline, SEO_TITLE_HARD_MAX + 40));
    json_field_str_unless_empty(&w, "description",
                                text_cut(article->description, SEO_DESCRIPTION_MAX));
    json_field_int(&w, "wordCount", article->word_count);
    put_time(&w, STR("datePublished"), article->published_wall_us);
    put_time(&w, STR("dateModified"), article->modified_wall_us);
    put_organization(&w, STR("author"), text_cut(article->author, 200));
    put_organization(&w, STR("publisher"), text_cut(article->author, 200));
    json_field_str_unless_empty(&w, "mainEntityOfPage", text_cut(article->url, 2000));
    json_field_str_unless_empty(&w, "image", text_cut(article->image, 2000));
    json_object_end(&w);
    assert(!out->is_full); /* every text above is bounded */
    return seo_json_for_script(arena, buf_str(out));
}

Str seo_json_for_script(struct arena *arena, Str json)
{
    struct buf *out = buf_in_arena(arena, json.len * 6 + 16);
    for (size_t i = 0; i < json.len; i++) {
        bool opens = json.data[i] == '<' && i + 1 < json.len;
        if (opens && json.data[i + 1] == '/') {
            buf_put(out, STR("<\\/"));
            i++;
        } else if (opens && json.data[i + 1] == '!') {
            buf_put(out, STR("\\u003c!"));
            i++;
        } else {
            buf_put_char(out, json.data[i]);
        }
    }
    return buf_str(out);
}
