/*
 * Real numbers as JSON.stringify writes them: the fewest digits that read back to the same double;
 * plain notation from 1e-6 up to below 1e21, exponents outside.
 */
#include "base/json/json_writer.h"
#include "base/text/ascii.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define INTEGER_MAX 9007199254740992.0 /* 2^53: every integer below is exact */

enum { DIGITS_MAX = 17, NUMBER_MAX = 40, PLAIN_ABOVE = -6, PLAIN_BELOW = 21 };

struct decimal {
    char digits[DIGITS_MAX];
    int count;
    int point; /* the value is 0.DIGITS × 10^point */
};

static bool try_digits(double value, int digits, struct decimal *ret)
{
    char text[NUMBER_MAX];
    int len = snprintf(text, sizeof text, "%.*e", digits - 1, value);
    assert(len > 0 && len < (int)sizeof text);
    if (digits < DIGITS_MAX && strtod(text, NULL) != value)
        return false;
    const char *exponent = strchr(text, 'e');
    assert(exponent != NULL);
    ret->count = 0;
    for (const char *at = text; at < exponent; at++) {
        if (ascii_is_digit(*at))
            ret->digits[ret->count++] = *at;
    }
    while (ret->count > 1 && ret->digits[ret->count - 1] == '0')
        ret->count--;
    ret->point = (int)strtol(exponent + 1, NULL, 10) + 1;
    return true;
}

/* 15 digits survive the conversion to a double and back, so a shorter number is found here; only
 * subnormal ones must be tried from one digit. */
static struct decimal shortest(double value)
{
    struct decimal decimal;
    int digits = value < DBL_MIN ? 1 : DBL_DIG;
    while (!try_digits(value, digits, &decimal))
        digits++;
    return decimal;
}

static void put_zeros(struct buf *out, int count)
{
    for (int i = 0; i < count; i++)
        buf_put_char(out, '0');
}

static void put_plain(struct buf *out, const struct decimal *d)
{
    int whole = d->point < 0 ? 0 : d->point > d->count ? d->count : d->point;
    buf_put(out, str_of(d->digits, (size_t)whole));
    put_zeros(out, d->point - d->count);
    if (d->point <= 0)
        buf_put_char(out, '0');
    if (d->point >= d->count)
        return;
    buf_put_char(out, '.');
    put_zeros(out, -d->point);
    buf_put(out, str_of(d->digits + whole, (size_t)(d->count - whole)));
}

static void put_exponent(struct buf *out, const struct decimal *d)
{
    buf_put_char(out, d->digits[0]);
    if (d->count > 1) {
        buf_put_char(out, '.');
        buf_put(out, str_of(d->digits + 1, (size_t)(d->count - 1)));
    }
    buf_put(out, d->point > 0 ? STR("e+") : STR("e"));
    buf_put_i64(out, d->point - 1);
}

void json_put_real(struct json_writer *w, double value)
{
    if (!isfinite(value)) {
        json_put_null(w);
        return;
    }
    if (fabs(value) < INTEGER_MAX && value == (double)(int64_t)value) {
        json_put_int(w, (int64_t)value);
        return;
    }
    json_put_raw(w, value < 0 ? STR("-") : STR(""));
    struct decimal decimal = shortest(fabs(value));
    if (decimal.point > PLAIN_ABOVE && decimal.point <= PLAIN_BELOW)
        put_plain(w->out, &decimal);
    else
        put_exponent(w->out, &decimal);
}
