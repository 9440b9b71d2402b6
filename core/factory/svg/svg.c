#include "base/text/buf.h"
#include "factory/svg/internal.h"
#include "factory/text/text.h"

#include <assert.h>

enum {
    SVG_WIDTH = 1200,
    SVG_HEIGHT = 630,
    SVG_TITLE_PX = 48,
    SVG_LINE_PX = 58, /* 1.2 × the title's font size */
    SVG_SUBTITLE_CHARS = 100,
    SVG_MAX = 16 * 1024,
};

uint32_t svg_wrap(struct arena *arena, Str title, Str lines[SVG_LINES_MAX])
{
    title = text_normalise(arena, title);
    uint32_t count = 0;
    for (Str rest = title; rest.len > 0 && count < SVG_LINES_MAX;) {
        Str line = text_cut(rest, SVG_LINE_CHARS);
        bool is_last = count + 1 == SVG_LINES_MAX;
        if (is_last && line.len < rest.len)
            line = str_printf(arena, "%.*s…", STR_FMT(text_cut(rest, SVG_LINE_CHARS - 1)));
        lines[count++] = line;
        rest = is_last ? STR_NONE : str_trim(str_slice(rest, line.len, rest.len));
    }
    return count;
}

void svg_put_text(struct buf *out, Str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= ' ')
            continue;
        text_escape(out, str_slice(text, from, i));
        from = i + 1;
    }
    text_escape(out, str_slice(text, from, text.len));
}

static void put_title(struct buf *out, const Str *lines, uint32_t count)
{
    int first = SVG_HEIGHT / 2 - (int)(count - 1) * SVG_LINE_PX / 2;
    buf_printf(out,
               "<text fill=\"#ffffff\" font-family=\"Arial, Helvetica, sans-serif\" "
               "font-size=\"%d\" font-weight=\"bold\" text-anchor=\"middle\" "
               "dominant-baseline=\"middle\">",
               SVG_TITLE_PX);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(out, "<tspan x=\"%d\" y=\"%d\">", SVG_WIDTH / 2, first + (int)i * SVG_LINE_PX);
        svg_put_text(out, lines[i]);
        buf_put(out, STR("</tspan>"));
    }
    buf_put(out, STR("</text>"));
}

Str svg_picture(struct arena *arena, Str title, Str subtitle)
{
    struct buf *out = buf_in_arena(arena, SVG_MAX);
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
               "viewBox=\"0 0 %d %d\" role=\"img\"><defs><linearGradient id=\"g\" x1=\"0\" "
               "y1=\"0\" x2=\"1\" y2=\"1\"><stop offset=\"0\" stop-color=\"#2563eb\"/><stop "
               "offset=\"1\" stop-color=\"#1d4ed8\"/></linearGradient></defs>"
               "<rect width=\"100%%\" height=\"100%%\" fill=\"url(#g)\"/>",
               SVG_WIDTH, SVG_HEIGHT, SVG_WIDTH, SVG_HEIGHT);

    Str lines[SVG_LINES_MAX];
    uint32_t count = svg_wrap(arena, title, lines);
    if (count > 0)
        put_title(out, lines, count);
    if (subtitle.len > 0) {
        buf_put(out, STR("<text x=\"50%\" y=\"85%\" fill=\"#ffffff\" fill-opacity=\"0.7\" "
                         "font-family=\"Arial, Helvetica, sans-serif\" font-size=\"18\" "
                         "text-anchor=\"middle\">"));
        svg_put_text(out, text_cut(text_normalise(arena, subtitle), SVG_SUBTITLE_CHARS));
        buf_put(out, STR("</text>"));
    }
    buf_put(out, STR("</svg>"));
    assert(!out->is_full); /* titles and subtitle are bounded above */
    return buf_str(out);
}

Str svg_picture_alt(struct arena *arena, Str title)
{
    return str_printf(arena, "%.*s - Featured Image", STR_FMT(text_normalise(arena, title)));
}
