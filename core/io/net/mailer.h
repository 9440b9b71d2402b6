/*
 * Outbound mail by SMTP to one relay that the operator names, over libcurl on the loop. The relay
 * is the operator's own business, so no address filter stands before it; the recipients are not.
 */
#pragma once

#include "io/fiber/fiber.h"
#include "io/net/mail_message.h"

struct mailer;
struct loop;

struct relay {
    Str url;  /* smtp://host:587, smtps://host */
    Str user; /* STR_NONE: no login */
    Str password;
    bool needs_tls; /* smtp:// without STARTTLS is refused */
};

struct mailer *mailer_new(struct loop *loop);
void mailer_free(struct mailer *mailer);

/* OK once the relay has taken it for every recipient. ERR_OUTBOUND_REFUSED: it said no for good, or
 * the url is none; ERR_UNAVAILABLE: not now. ctx must have a deadline. */
fiber_fn Err mail_send(struct ctx *ctx, struct mailer *mailer, const struct relay *relay,
                       const struct mail *mail);
