#include "base/memory/array.h"
#include "base/system/range.h"
#include "base/text/ascii.h"
#include "visitors/tracking/tracking.h"

struct pattern {
    Str needle; /* lower case */
    Str name;
};

static const struct pattern BOTS[] = {
    {STR_INIT("googlebot"), STR_INIT("googlebot")},
    {STR_INIT("bingbot"), STR_INIT("bingbot")},
    {STR_INIT("slurp"), STR_INIT("slurp")},
    {STR_INIT("duckduckbot"), STR_INIT("duckduckbot")},
    {STR_INIT("baiduspider"), STR_INIT("baiduspider")},
    {STR_INIT("yandexbot"), STR_INIT("yandexbot")},
    {STR_INIT("facebookexternalhit"), STR_INIT("facebookexternalhit")},
    {STR_INIT("twitterbot"), STR_INIT("twitterbot")},
    {STR_INIT("linkedinbot"), STR_INIT("linkedinbot")},
    {STR_INIT("whatsapp"), STR_INIT("whatsapp")},
    {STR_INIT("telegrambot"), STR_INIT("telegrambot")},
    {STR_INIT("applebot"), STR_INIT("applebot")},
    {STR_INIT("semrushbot"), STR_INIT("semrushbot")},
    {STR_INIT("ahrefsbot"), STR_INIT("ahrefsbot")},
    {STR_INIT("mj12bot"), STR_INIT("mj12bot")},
    {STR_INIT("dotbot"), STR_INIT("dotbot")},
    {STR_INIT("petalbot"), STR_INIT("petalbot")},
    {STR_INIT("bytespider"), STR_INIT("bytespider")},
    {STR_INIT("gptbot"), STR_INIT("gptbot")},
    {STR_INIT("claudebot"), STR_INIT("claudebot")},
    {STR_INIT("crawler"), STR_INIT("crawler")},
    {STR_INIT("spider"), STR_INIT("spider")},
    {STR_INIT("bot/"), STR_INIT("bot")},
    {STR_INIT("bot;"), STR_INIT("bot")},
    {STR_INIT("headless"), STR_INIT("headless")},
    {STR_INIT("phantomjs"), STR_INIT("phantomjs")},
    {STR_INIT("selenium"), STR_INIT("selenium")},
};

static const struct pattern DEVICES[] = {
    {STR_INIT("ipad"), STR_INIT("tablet")},       {STR_INIT("tablet"), STR_INIT("tablet")},
    {STR_INIT("mobile"), STR_INIT("mobile")},     {STR_INIT("android"), STR_INIT("mobile")},
    {STR_INIT("iphone"), STR_INIT("mobile")},     {STR_INIT("ipod"), STR_INIT("mobile")},
    {STR_INIT("blackberry"), STR_INIT("mobile")}, {STR_INIT("windows phone"), STR_INIT("mobile")},
};

static const struct pattern BROWSERS[] = {
    {STR_INIT("firefox"), STR_INIT("Firefox")}, {STR_INIT("edg"), STR_INIT("Edge")},
    {STR_INIT("opr/"), STR_INIT("Opera")},      {STR_INIT("opera"), STR_INIT("Opera")},
    {STR_INIT("chrome"), STR_INIT("Chrome")},   {STR_INIT("safari"), STR_INIT("Safari")},
};

static const struct pattern SYSTEMS[] = {
    {STR_INIT("android"), STR_INIT("Android")}, {STR_INIT("iphone"), STR_INIT("iOS")},
    {STR_INIT("ipad"), STR_INIT("iOS")},        {STR_INIT("ipod"), STR_INIT("iOS")},
    {STR_INIT("windows"), STR_INIT("Windows")}, {STR_INIT("mac os"), STR_INIT("macOS")},
    {STR_INIT("linux"), STR_INIT("Linux")},
};

/* The name of the first pattern in `lower`; STR_NONE if there is none. */
static Str first_match(Str lower, const struct pattern *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_find(lower, patterns[i].needle) >= 0)
            return patterns[i].name;
    return STR_NONE;
}
#define FIRST_MATCH(lower, table) first_match((lower), (table), COUNT_OF(table))

static Str or_else(Str value, Str fallback)
{
    return value.len > 0 ? value : fallback;
}

struct visitor visitor_of(Str user_agent)
{
    char lower[512];
    size_t len = min_size(user_agent.len, sizeof lower);
    for (size_t i = 0; i < len; i++) {
        char c = user_agent.data[i];
        lower[i] = ascii_lower(c);
    }
    Str text = str_of(lower, len);
    Str bot = FIRST_MATCH(text, BOTS);
    return (struct visitor){
        .device_type = or_else(FIRST_MATCH(text, DEVICES), STR("desktop")),
        .browser = or_else(FIRST_MATCH(text, BROWSERS), STR("Unknown")),
        .os = or_else(FIRST_MATCH(text, SYSTEMS), STR("Unknown")),
        .is_bot = bot.len > 0,
        .bot_name = bot,
    };
}
