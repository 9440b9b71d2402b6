/*
 * Pictures as SVG: the built-in one, and templates written by editors. Pure.
 *
 * A template is untrusted. Expat parses it as XML, and only the elements, attributes and values
 * listed in svg_names.def are serialised again. Scripts, event attributes, references outside the
 * picture, style sheets, document types and processing instructions are refused; the message names
 * them. This is checked when the template is stored, and again each time it is filled in, because
 * tokens can be in attributes too.
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
    SVG_USES_MAX = 16,   /* nested <use> multiplies the drawing work */
    SVG_LINE_CHARS = 40, /* per line of a title */
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

/* The texts of an article for its picture. */
struct svg_texts {
    Str title, subtitle, site_name, city, state;
};

/* ERR_FAILED_VALIDATION names what is not allowed. */
Err svg_check(struct ctx *ctx, Str source);

/*
 * Fills in the template's tokens: {width} {height} {width-80} {gradient_start} {gradient_end}
 * {text_color} {accent_color} {font_family} {title_size} {subtitle_size} {title} {subtitle}
 * {site_name} {city} {state}. A title longer than a line becomes several <tspan>s, vertically
 * centred on the position of the text. False, with the reason in *ret_refused, if svg_check would
 * refuse the result.
 */
bool svg_fill(struct arena *arena, const struct svg_template *template_,
              const struct svg_texts *texts, Str *ret, Str *ret_refused);

/* The built-in picture: 1200 × 630, with the title in up to three lines of 40 characters. */
Str svg_picture(struct arena *arena, Str title, Str subtitle);
Str svg_picture_alt(struct arena *arena, Str title);
