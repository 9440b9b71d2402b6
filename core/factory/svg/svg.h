/*
 * Pictures as SVG: the built-in one, and those that editors write as templates. Pure.
 *
 * A stored SVG is trusted with nothing. It is read as XML by expat, and written anew from what was
 * understood: elements, attributes and values that svg_names.def lists, and nothing else. Scripts,
 * event attributes, references to anything outside the picture, style sheets, document types and
 * processing instructions are refused with the name of what was found, when the template is stored
 * and again each time it is filled in, because tokens stand in attributes too.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "base/system/err.h"

enum {
    SVG_SOURCE_MAX = 256 * 1024, /* bytes */
    SVG_RESULT_MAX = 512 * 1024,
    SVG_ELEMENTS_MAX = 5000,
    SVG_DEPTH_MAX = 32,
    SVG_USES_MAX = 16,   /* <use> within <use> multiplies what is drawn */
    SVG_LINE_CHARS = 40, /* of a title */
    SVG_LINES_MAX = 3,
};

/* A row of image_templates. */
struct svg_template {
    Uuid id;
    Str source;
    int32_t width, height;
    Str gradient_start, gradient_end, text_color, accent_color, font_family;
    int32_t title_size, subtitle_size;
};

/* What an article gives to its picture. */
struct svg_texts {
    Str title, subtitle, site_name, city, state;
};

/* ERR_FAILED_VALIDATION names what a picture may not have. */
Err svg_check(struct ctx *ctx, Str source);

/*
 * The template with its tokens replaced: {width} {height} {width-80} {gradient_start}
 * {gradient_end} {text_color} {accent_color} {font_family} {title_size} {subtitle_size} {title}
 * {subtitle} {site_name} {city} {state}. A title longer than a line becomes <tspan>s, centred on
 * where the text stands. False, and why in *ret_refused, when svg_check would refuse the result.
 */
bool svg_fill(struct arena *arena, const struct svg_template *template_,
              const struct svg_texts *texts, Str *ret, Str *ret_refused);

/* The built-in one: 1200 × 630, with the title in up to three lines of 40 characters. */
Str svg_picture(struct arena *arena, Str title, Str subtitle);
Str svg_picture_alt(struct arena *arena, Str title);
