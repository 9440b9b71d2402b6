/*
 * Any text as recipients, subject, sender to answer to and body: refused, or a message of known
 * headers in ASCII, whose only recipients are the ones that were named.
 */
#include "base/memory/arena.h"
#include "base/system/ctx.h"
#include "io/net/mail_message.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 10, LINE_MAX_BYTES = 998 };

static void check_line(Str line)
{
    assert(line.len <= LINE_MAX_BYTES);
    for (size_t i = 0; i < line.len; i++)
        assert(line.data[i] >= ' ' && line.data[i] <= '~');
}

static void check_message(Str message, bool has_reply_to)
{
    size_t headers = 0;
    bool is_head = true;
    for (Str rest = message, line; str_next(&rest, '\n', &line);) {
        if (line.len == 0)
            continue; /* behind the last one */
        assert(line.data[line.len - 1] == '\r');
        line.len--;
        check_line(line);
        is_head = is_head && line.len > 0;
        headers += is_head && line.data[0] != ' ';
    }
    assert(!is_head && headers == HEADERS + (has_reply_to ? 1 : 0));
}

static void check(struct ctx *ctx, Str input)
{
    Str to[MAIL_RECIPIENTS_MAX];
    Str part[3] = {input, input, input};
    for (int i = 0; i < 3; i++)
        if (!str_next(&input, '|', &part[i]))
            break;
    struct mail mail = {.from = STR("a@b.example"),
                        .to = to,
                        .reply_to = part[1],
                        .subject = part[2],
                        .text = part[0],
                        .key = STR("mail-1")};
    if (mail_recipients_parse(ctx, part[0], to, &mail.to_count) != OK)
        mail.to_count = 0;
    if (mail.to_count == 0) {
        to[0] = STR("c@d.example");
        mail.to_count = 1;
    }
    struct buf *out = buf_in_arena(ctx->arena, MAIL_BYTES_MAX);
    mail_write(out, &mail);
    if (!out->is_full)
        check_message(buf_str(out), mail_address_is_plain(part[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create()};
    check(&ctx, str_of((const char *)data, size));
    arena_destroy(ctx.arena);
    return 0;
}
