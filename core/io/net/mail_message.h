/*
 * The text of a mail: headers that are safe against injection, and a body encoding that every relay
 * preserves. Pure.
 */
#pragma once

#include "base/text/buf.h"

enum { MAIL_RECIPIENTS_MAX = 10, MAIL_ADDRESS_MAX = 254, MAIL_SUBJECT_MAX = 200 };
enum { MAIL_BYTES_MAX = 512 * 1024 };

struct mail {
    Str from; /* addresses that pass mail_address_is_plain */
    const Str *to;
    uint32_t to_count;
    Str reply_to; /* STR_NONE: none */
    Str subject;  /* any text; control characters are removed, and it is cut at MAIL_SUBJECT_MAX
                     bytes */
    Str text;     /* UTF-8 */
    Str key;      /* the same for every attempt (idempotency): Message-ID and Idempotency-Key;
                     [A-Za-z0-9-] */
    int64_t wall_us;
};

/* local@domain of visible ASCII, without quotes, brackets, commas: unambiguous in headers and SMTP
 * commands. */
bool mail_address_is_plain(Str address);

/* Addresses separated by commas, semicolons or white space, as views. ERR_INVALID_PAYLOAD for an
 * invalid address, for an empty list, or for more than MAIL_RECIPIENTS_MAX. */
Err mail_recipients_parse(struct ctx *ctx, Str text, Str ret[MAIL_RECIPIENTS_MAX],
                          uint32_t *ret_count);

/* The whole message with CRLF line ends, ASCII, no line longer than 998 bytes. */
void mail_write(struct buf *out, const struct mail *mail);
