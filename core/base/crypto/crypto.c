#include "base/crypto/crypto.h"

#include "base/memory/arena.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "%s failed\n", what);
    abort();
}

/* Fetched once: EVP_sha256() would look up the algorithm at every digest. */
static EVP_MD *sha256_algorithm;
static EVP_KDF *hkdf_algorithm;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void free_algorithm(void)
{
    EVP_MD_free(sha256_algorithm);
    EVP_KDF_free(hkdf_algorithm);
    sha256_algorithm = NULL;
    hkdf_algorithm = NULL;
}

static void fetch_algorithm(void)
{
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    hkdf_algorithm = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (sha256_algorithm == NULL || hkdf_algorithm == NULL || atexit(free_algorithm) != 0)
        die("SHA-256 and HKDF");
}

Sha256 sha256(Str data)
{
    (void)pthread_once(&fetched, fetch_algorithm);
    Sha256 digest;
    unsigned len = sizeof digest.bytes;
    if (EVP_Digest(data.data, data.len, digest.bytes, &len, sha256_algorithm, NULL) != 1)
        die("SHA-256");
    assert(len == sizeof digest.bytes);
    return digest;
}

Sha256 hmac_sha256(Str key, Str data)
{
    (void)pthread_once(&fetched, fetch_algorithm);
    assert(key.len <= INT32_MAX);
    Sha256 digest;
    unsigned len = sizeof digest.bytes;
    if (HMAC(sha256_algorithm, key.len == 0 ? "" : key.data, (int)key.len,
             (const unsigned char *)data.data, data.len, digest.bytes, &len) == NULL)
        die("HMAC");
    return digest;
}

Sha256 hkdf_sha256(Str secret, Str label)
{
    assert(secret.len > 0 && label.data != NULL);
    (void)pthread_once(&fetched, fetch_algorithm);
    Sha256 key;
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf_algorithm);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.data,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label.data,
                                          label.len),
        OSSL_PARAM_construct_end(),
    };
    if (ctx == NULL || EVP_KDF_derive(ctx, key.bytes, sizeof key.bytes, params) != 1)
        die("HKDF");
    EVP_KDF_CTX_free(ctx);
    return key;
}

void hmac_sha1(Str key, Str data, uint8_t ret[SHA1_LEN])
{
    assert(key.len > 0 && key.len <= INT32_MAX);
    unsigned len = SHA1_LEN;
    if (HMAC(EVP_sha1(), key.data, (int)key.len, (const unsigned char *)data.data, data.len, ret,
             &len) == NULL)
        die("HMAC");
}

bool secret_eq(Str a, Str b)
{
    /* Lengths are not secret; an empty secret matches nothing, not even another empty one. */
    if (a.len != b.len || a.len == 0)
        return false;
    return CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}

void random_bytes(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            die("getrandom");
        at += got;
        len -= (size_t)got;
    }
}
