/*
 * A conversion as the advertising networks want it told: Facebook's Conversions API and Google
 * Analytics' Measurement Protocol. Pure: facts in, JSON out.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"

/* STR_NONE where nothing is known. */
struct conversion_facts {
    Uuid id;
    int64_t wall_us;
    Str type, value, currency, source, campaign, fbclid;
    Str email, phone;
    Str ip, user_agent, page_url;
    Str test_code; /* Facebook's, for its test page */
};

/* Facebook matches by what it knows of a person: without any of it the event is worth nothing. */
bool facebook_can_match(const struct conversion_facts *facts);
/* E-mail addresses and phone numbers leave as SHA-256 only. */
void facebook_event_write(struct buf *out, struct arena *arena,
                          const struct conversion_facts *facts);

/* Of a visitor whose cookie nobody asked for: the conversion is a client of its own. */
void google_event_write(struct buf *out, struct arena *arena, const struct conversion_facts *facts);
