/*
 * Outbound mail by SMTP to one relay that the operator configures, over libcurl on the loop. The
 * operator chooses the relay, so no address filter applies to it.
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

/* OK once the relay has accepted the mail for every recipient. ERR_OUTBOUND_REFUSED: a permanent
 * refusal, or an invalid URL; ERR_UNAVAILABLE: a temporary failure. ctx must have a deadline. */
fiber_fn Err mail_send(struct ctx *ctx, struct mailer *mailer, const struct relay *relay,
                       const struct mail *mail);
