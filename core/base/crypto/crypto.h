/*
 * Hashes, random bytes, encodings. Only crypto.c and seal.c use OpenSSL. Password hashing (argon2)
 * is intentionally slow: run it through io/fiber/offload.h.
 */
#pragma once

#include "base/system/err.h"
#include "base/text/str.h"

typedef struct Sha256 {
    uint8_t bytes[32];
} Sha256;

Sha256 sha256(Str data);
Sha256 hmac_sha256(Str key, Str data);
/* A key for one use of a secret, which `label` names (RFC 5869, without salt). */
Sha256 hkdf_sha256(Str secret, Str label);
/* For one-time passwords alone (otp.h). */
enum { SHA1_LEN = 20 };
void hmac_sha1(Str key, Str data, uint8_t ret[SHA1_LEN]);
Str hex_text(struct arena *arena, const void *bytes, size_t len); /* lower case */
Str base64url(struct arena *arena, Str data);                     /* no padding */
bool base64url_decode(struct arena *arena, Str text, Str *ret);

/* Compares secrets in time that depends only on their lengths. */
bool secret_eq(Str a, Str b);

void random_bytes(void *out, size_t len); /* getrandom; aborts if it fails */
/* `len` characters of A-Z a-z 0-9 _ - (6 bits each). */
Str random_token(struct arena *arena, size_t len);

/* Argon2id in Directus' format ($argon2id$v=19$m=65536,t=3,p=4$…). Blocks ~50 ms, uses 64 MiB. */
Str password_hash(struct arena *arena, Str password);
bool password_verify(Str hash, Str password);
/* Whether a hash costs no more memory, time and threads than one of password_hash. What a stranger
 * sends must be checked with this first. */
bool password_is_affordable(Str hash);
