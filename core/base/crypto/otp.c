#include "base/crypto/otp.h"

#include "base/crypto/crypto.h"
#include "base/text/ascii.h"

#include <assert.h>
#include <stdio.h>

enum { STEP_S = 30, DIGITS = 6, MODULUS = 1000000, KEY_MAX = OTP_SECRET_MAX * 5 / 8 };

static int base32_value(char c)
{
    if (ascii_is_letter(c))
        return ascii_lower(c) - 'a';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* 0 when the text is not base32. Padding is optional. */
static size_t base32_decode(Str text, char out[KEY_MAX])
{
    uint32_t bits = 0;
    int count = 0;
    size_t len = 0;
    if (text.len > OTP_SECRET_MAX)
        return 0;
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
        int value = base32_value(text.data[i]);
        if (value < 0)
            return 0;
        bits = (bits << 5 | (uint32_t)value) & 0xfff;
        count += 5;
        if (count >= 8) {
            count -= 8;
            out[len++] = (char)(bits >> count & 0xff);
        }
    }
    assert(len <= KEY_MAX);
    return len;
}

static void code_write(Str key, int64_t step, char out[DIGITS + 1])
{
    assert(step >= 0);
    char counter[8];
    for (int i = 0; i < 8; i++)
        counter[i] = (char)(step >> (8 * (7 - i)) & 0xff);
    uint8_t mac[SHA1_LEN];
    hmac_sha1(key, str_of(counter, sizeof counter), mac);
    const uint8_t *part = mac + (mac[SHA1_LEN - 1] & 15);
    uint32_t number = (uint32_t)(part[0] & 0x7f) << 24 | (uint32_t)part[1] << 16 |
                      (uint32_t)part[2] << 8 | part[3];
    snprintf(out, DIGITS + 1, "%0*u", DIGITS, number % MODULUS);
}

bool otp_fits(Str secret, Str code, int64_t wall_s)
{
    char key[KEY_MAX];
    size_t len = base32_decode(secret, key);
    if (len == 0 || code.len != DIGITS || wall_s < STEP_S)
        return false;
    bool fits = false;
    for (int64_t step = wall_s / STEP_S - 1; step <= wall_s / STEP_S; step++) {
        char right[DIGITS + 1];
        code_write(str_of(key, len), step, right);
        fits |= secret_eq(code, str_of(right, DIGITS));
    }
    return fits;
}
