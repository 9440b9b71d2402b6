#include "base/system/clock.h"

#include "base/memory/arena.h"
#include "base/system/range.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define DAY_US (INT64_C(86400) * SECOND_US)
/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: the range of four-digit years. */
#define ISO_MIN_US (INT64_C(-62167219200) * SECOND_US)
#define ISO_MAX_US (INT64_C(253402300799) * SECOND_US + 999 * MS_US)

static int64_t read_clock(clockid_t id)
{
    struct timespec at;
    if (clock_gettime(id, &at) != 0)
        abort(); /* fails only for an unknown clock */
    return (int64_t)at.tv_sec * SECOND_US + at.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_boot_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_thread_cpu_us(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct date {
    int64_t year;
    unsigned month; /* 1–12 */
    unsigned day;   /* 1–31 */
};

/*
 * Both directions count years from 1 March, so that the leap day is the last of its year, and in
 * eras of 400 years, which all have the same 146097 days. 719468 days lie between 0000-03-01 and
 * 1970-01-01; months from March follow (153 m + 2) / 5.
 */
static struct date date_of_day(int64_t day)
{
    int64_t since = day + 719468;
    int64_t era = (since >= 0 ? since : since - 146096) / 146097;
    unsigned in_era = (unsigned)(since - era * 146097);
    unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * in_year + 2) / 153;
    struct date date = {
        .year = era * 400 + year + (month >= 10 ? 1 : 0),
        .month = month < 10 ? month + 3 : month - 9,
        .day = in_year - (153 * month + 2) / 5 + 1,
    };
    return date;
}

static int64_t day_of_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    unsigned month = date.month <= 2 ? date.month + 9 : date.month - 3;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned in_year = (153 * month + 2) / 5 + date.day - 1;
    unsigned in_era = of_era * 365 + of_era / 4 - of_era / 100 + in_year;
    return era * 146097 + in_era - 719468;
}

static void put_two(char *out, unsigned value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

static void put_date(char out[10], int64_t day)
{
    struct date date = date_of_day(day);
    put_two(out, (unsigned)date.year / 100);
    put_two(out + 2, (unsigned)date.year % 100);
    out[4] = '-';
    put_two(out + 5, date.month);
    out[7] = '-';
    put_two(out + 8, date.day);
}

void clock_write_iso(int64_t wall_us, char out[CLOCK_ISO_LEN])
{
    /* Cached, because rows of one page often have the same day. */
    static _Thread_local struct {
        int64_t day;
        char text[10];
    } cache = {.day = 0, .text = "1970-01-01"};

    wall_us = clamp_i64(wall_us, ISO_MIN_US, ISO_MAX_US);
    int64_t day = wall_us / DAY_US;
    if (wall_us % DAY_US < 0)
        day--;
    if (day != cache.day) {
        put_date(cache.text, day);
        cache.day = day;
    }
    unsigned ms = (unsigned)((wall_us - day * DAY_US) / MS_US);
    memcpy(out, cache.text, 10);
    out[10] = 'T';
    put_two(out + 11, ms / 3600000);
    out[13] = ':';
    put_two(out + 14, ms / 60000 % 60);
    out[16] = ':';
    put_two(out + 17, ms / 1000 % 60);
    out[19] = '.';
    out[20] = (char)('0' + ms / 100 % 10);
    put_two(out + 21, ms % 100);
    out[23] = 'Z';
}

Str clock_iso(struct arena *arena, int64_t wall_us)
{
    char *text = arena_alloc_raw(arena, CLOCK_ISO_LEN);
    clock_write_iso(wall_us, text);
    return str_of(text, CLOCK_ISO_LEN);
}

/* Takes exactly `count` digits off the front. */
static bool take_digits(Str *s, unsigned count, unsigned *ret)
{
    unsigned value = 0;
    if (s->len < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = (unsigned)(s->data[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *s = str_slice(*s, count, s->len);
    *ret = value;
    return true;
}

static bool take_char(Str *s, char c)
{
    if (s->len == 0 || s->data[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : DAYS[month - 1];
}

static bool take_date(Str *s, int64_t *ret_day)
{
    unsigned year, month, day;
    if (!take_digits(s, 4, &year) || !take_char(s, '-') || !take_digits(s, 2, &month) ||
        !take_char(s, '-') || !take_digits(s, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_day = day_of_date((struct date){year, month, day});
    return true;
}

/* Digits after the point; those below a microsecond are ignored. */
static bool take_fraction(Str *s, int64_t *ret_us)
{
    int64_t us = 0;
    int64_t scale = SECOND_US / 10;
    unsigned digit;
    if (!take_digits(s, 1, &digit))
        return false;
    do {
        us += digit * scale;
        scale /= 10;
    } while (take_digits(s, 1, &digit));
    *ret_us = us;
    return true;
}

static bool take_time(Str *s, int64_t *ret_us)
{
    unsigned hour, minute, second = 0;
    int64_t fraction_us = 0;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute))
        return false;
    if (take_char(s, ':')) {
        if (!take_digits(s, 2, &second))
            return false;
        if (take_char(s, '.') && !take_fraction(s, &fraction_us))
            return false;
    }
    bool is_midnight = hour == 24 && minute == 0 && second == 0 && fraction_us == 0;
    if ((hour > 23 && !is_midnight) || minute > 59 || second > 59)
        return false;
    *ret_us = (int64_t)(hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us;
    return true;
}

/* Z, ±hh, ±hhmm, ±hh:mm, or empty, which means UTC. */
static bool take_zone(Str *s, int64_t *ret_offset_us)
{
    *ret_offset_us = 0;
    if (s->len == 0 || take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    bool is_west = s->data[0] == '-';
    if (!take_char(s, '+') && !take_char(s, '-'))
        return false;
    unsigned hours, minutes = 0;
    if (!take_digits(s, 2, &hours))
        return false;
    bool has_colon = take_char(s, ':');
    if ((has_colon || s->len > 0) && !take_digits(s, 2, &minutes))
        return false;
    if (hours > 15 || minutes > 59)
        return false;
    int64_t offset_us = (int64_t)(hours * 3600 + minutes * 60) * SECOND_US;
    *ret_offset_us = is_west ? -offset_us : offset_us;
    return true;
}

bool clock_parse_iso(Str s, int64_t *ret_wall_us)
{
    int64_t day, time_us = 0, offset_us = 0;
    if (!take_date(&s, &day))
        return false;
    if (s.len > 0) {
        if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
            return false;
        if (!take_time(&s, &time_us) || !take_zone(&s, &offset_us) || s.len > 0)
            return false;
    }
    *ret_wall_us = day * DAY_US + time_us - offset_us;
    return true;
}
