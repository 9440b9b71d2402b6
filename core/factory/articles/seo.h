/*
 * Metadata of an article: title and description for search results, JSON-LD, a picture. Pure;
 * results live in the given arena.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"
#include "factory/svg/svg.h"

enum {
    SEO_TITLE_MAX = 60,      /* code points; search engines truncate at about this length */
    SEO_TITLE_HARD_MAX = 70, /* length of the column; reached only if the first word is longer */
    SEO_DESCRIPTION_MAX = 160,
};

/* The headline as plain text, truncated at the end of a word. */
Str seo_meta_title(struct arena *arena, Str headline);

/* The first body text without headings, truncated at the end of a word and followed by "…". */
Str seo_meta_description(struct arena *arena, Str html);

struct seo_article {
    Str type; /* schema.org: "Article", "BlogPosting" */
    Str headline;
    Str description;
    Str author; /* usually the site's name */
    Str url;    /* empty: omitted, like every other empty text */
    Str image;
    uint32_t word_count;
    int64_t published_wall_us; /* 0: omitted */
    int64_t modified_wall_us;
};

/* A JSON object, safe inside <script>: it contains neither "</" nor "<!". */
Str seo_json_ld(struct arena *arena, const struct seo_article *article);

/* Escapes any JSON text for use inside <script>. */
Str seo_json_for_script(struct arena *arena, Str json);
