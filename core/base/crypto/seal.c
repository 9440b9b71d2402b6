#include "base/crypto/seal.h"

#include "base/crypto/crypto.h"
#include "base/memory/arena.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { NONCE_LEN = 12, TAG_LEN = 16 };
static_assert(NONCE_LEN + TAG_LEN == SEAL_OVERHEAD);

static _Noreturn void die(void)
{
    (void)fprintf(stderr, "AES-256-GCM failed\n");
    abort();
}

/* A key for this use only: other values derived from SECRET cannot open a seal. */
static Sha256 derive(Str key)
{
    return hmac_sha256(key, STR("spark: sealed text, version 1"));
}

static EVP_CIPHER_CTX *begin(Str key, Str purpose, const unsigned char *nonce, bool is_sealing)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    Sha256 derived = derive(key);
    int len = 0;
    if (cipher == NULL ||
        EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, derived.bytes, nonce, is_sealing) != 1 ||
        EVP_CipherUpdate(cipher, NULL, &len, (const unsigned char *)purpose.data,
                         (int)purpose.len) != 1)
        die();
    return cipher;
}

Str seal_make(struct arena *arena, Str key, Str purpose, Str text)
{
    assert(key.len > 0 && purpose.len > 0 && purpose.len <= SEAL_TEXT_MAX &&
           text.len <= SEAL_TEXT_MAX);
    unsigned char *out = arena_alloc_raw(arena, text.len + SEAL_OVERHEAD);
    random_bytes(out, NONCE_LEN);
    EVP_CIPHER_CTX *cipher = begin(key, purpose, out, true);
    int len = 0;
    int rest = 0;
    if (EVP_CipherUpdate(cipher, out + NONCE_LEN, &len,
                         (const unsigned char *)(text.len > 0 ? text.data : ""),
                         (int)text.len) != 1 ||
        EVP_CipherFinal_ex(cipher, out + NONCE_LEN + len, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + NONCE_LEN + text.len) != 1)
        die();
    EVP_CIPHER_CTX_free(cipher);
    assert((size_t)(len + rest) == text.len);
    return str_of((const char *)out, text.len + SEAL_OVERHEAD);
}

bool seal_open(struct arena *arena, Str key, Str purpose, Str sealed, Str *ret)
{
    assert(purpose.len > 0 && purpose.len <= SEAL_TEXT_MAX);
    if (key.len == 0 || sealed.len < SEAL_OVERHEAD || sealed.len > SEAL_TEXT_MAX + SEAL_OVERHEAD)
        return false;
    const unsigned char *in = (const unsigned char *)sealed.data;
    size_t text_len = sealed.len - SEAL_OVERHEAD;
    unsigned char *out = arena_alloc_raw(arena, text_len + 1);
    unsigned char tag[TAG_LEN];
    memcpy(tag, in + NONCE_LEN + text_len, TAG_LEN);
    EVP_CIPHER_CTX *cipher = begin(key, purpose, in, false);
    int len = 0;
    int rest = 0;
    bool is_fine = EVP_CipherUpdate(cipher, out, &len, in + NONCE_LEN, (int)text_len) == 1 &&
                   EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
                   EVP_CipherFinal_ex(cipher, out + len, &rest) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (is_fine)
        *ret = str_of((const char *)out, text_len);
    return is_fine;
}
