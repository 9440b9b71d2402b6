/*
 * What an article carries beside its text: title and description for search results, JSON-LD, a
 * picture. Pure; results live in the arena given.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"
#include "factory/svg/svg.h"

enum {
    SEO_TITLE_MAX = 60,      /* code points; search engines cut about there */
    SEO_TITLE_HARD_MAX = 70, /* the column; only for a title whose first word is longer */
    SEO_DESCRIPTION_MAX = 160,
};

/* The headline as plain text, cut where a word ends. */
Str seo_meta_title(struct arena *arena, Str headline);

/* The first running text of the body (headings left out), cut where a word ends and marked "…". */
Str seo_meta_description(struct arena *arena, Str html);

struct seo_article {
    Str type; /* schema.org: "Article", "BlogPosting" */
    Str headline;
    Str description;
    Str author; /* usually the site's name */
    Str url;    /* empty: left out, like every other empty text */
    Str image;
    uint32_t word_count;
    int64_t published_wall_us; /* 0: left out */
    int64_t modified_wall_us;
};

/* A JSON object, safe inside <script>: no "</" and no "<!" in it. */
Str seo_json_ld(struct arena *arena, const struct seo_article *article);

/* Any JSON text made safe inside <script>. */
Str seo_json_for_script(struct arena *arena, Str json);
