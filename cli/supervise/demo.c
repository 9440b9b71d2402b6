#include "cli/supervise/demo.h"

#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "cli/console/plain_text.h"
#include "cli/supervise/client.h"
#include "cli/supervise/supervisor.h"
#include "gen/embed.h"

#include <time.h>

/*
 * Uses only the API, as a user's script would. Every step can be repeated, and the site's settings
 * record the progress: the next start continues an interrupted demo.
 */

enum {
    BATCH_SIZE = 50,
    PUBLISHED = 12, /* number of articles to publish */
    POLL_US = 100 * 1000,
    STALLED_US = 60 * 1000 * 1000,
    BODY_MAX = 4 * 1024 * 1024,
    BAR_WIDTH = 32,
};

struct play {
    const struct demo *demo;
    struct client client;
    struct arena *arena;
    Str site; /* id as text, like campaign */
    Str campaign;
    int64_t articles; /* number of rows */
    int64_t started_us;
};

static Str text_at(const struct json *object, Str key)
{
    const struct json *value = json_get(object, key);
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

static int64_t number_at(const struct json *object, Str key)
{
    const struct json *value = json_get(object, key);
    int64_t number = 0;
    if (json_kind(value) == JSON_INT)
        number = json_int(value);
    else if (json_kind(value) == JSON_STRING)
        (void)str_to_i64(json_str(value), &number);
    return number;
}

/* Counts the rows of a collection that match a filter. */
static Err count_of(struct play *play, Str collection, Str filter, int64_t *ret)
{
    const struct json *answer;
    Str path =
        str_printf(play->arena, "/items/%.*s?aggregate[count]=*&filter[campaign_id][_eq]=%.*s%.*s",
                   STR_FMT(collection), STR_FMT(play->campaign), STR_FMT(filter));
    TRY(client_ask(&play->client, "GET", path, STR_NONE, &answer));
    *ret = number_at(json_at(json_get(answer, STR("data")), 0), STR("count"));
    return OK;
}

/* Site */

static Err find_sites(struct play *play, const struct json **ret)
{
    const struct json *answer;
    TRY(client_ask(&play->client, "GET", STR("/items/sites?limit=2&fields=id,domain,settings"),
                   STR_NONE, &answer));
    *ret = json_get(answer, STR("data"));
    return OK;
}

/* Creating a site changes the epoch, which may turn the response into a 503: then look for the
 * site. */
static Err make_site(struct play *play, const struct json **ret_sites)
{
    Str body = str_printf(play->arena,
                          "{\"name\":\"Demo\",\"domain\":\"localhost\","
                          "\"domain_aliases\":[\"127.0.0.1\",\"[::1]\"],\"url\":\"%.*s\","
                          "\"settings\":{\"demo\":\"playing\"}}",
                          STR_FMT(play->demo->address));
    int status;
    const struct json *answer;
    TRY(client_call(&play->client, "POST", STR("/items/sites"), body, &status, &answer));
    TRY(find_sites(play, ret_sites));
    if (json_len(*ret_sites) == 0)
        return fail(play->client.ctx, ERR_UNAVAILABLE, "the demo site could not be made (%d)",
                    status);
    return OK;
}

/* *ret_plays: the database has no sites, or its demo was interrupted. */
static Err open_site(struct play *play, bool *ret_plays)
{
    const struct json *sites;
    TRY(find_sites(play, &sites));
    if (json_len(sites) == 0)
        TRY(make_site(play, &sites));
    const struct json *site = json_at(sites, 0);
    Str state = text_at(json_get(site, STR("settings")), STR("demo"));
    *ret_plays = json_len(sites) == 1 && str_eq(state, STR("playing"));
    play->site = text_at(site, STR("id"));
    return OK;
}

static Err close_site(struct play *play)
{
    const struct json *answer;
    Str path = str_printf(play->arena, "/items/sites/%.*s", STR_FMT(play->site));
    return client_ask(&play->client, "PATCH", path, STR("{\"settings\":{\"demo\":\"done\"}}"),
                      &answer);
}

/* Import */

static Err embedded_json(struct play *play, Str path, const struct json **ret)
{
    Str text;
    if (!embed_find(path, &text))
        return fail(play->client.ctx, ERR_CONFIG, "this build has no %.*s", STR_FMT(path));
    return json_parse(play->client.ctx, text, JSON_LIMITS_DEFAULT, ret);
}

/* {name: value, …members of `object`} */
static Str body_with(struct play *play, const char *name, const struct json *value, Str text,
                     const struct json *object)
{
    struct buf *out = buf_in_arena(play->arena, BODY_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_key(&w, str_from_z(name));
    if (value != NULL)
        json_put_value(&w, value);
    else
        json_put_str(&w, text);
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        json_key(&w, it.key);
        json_put_value(&w, it.value);
    }
    json_object_end(&w);
    return buf_str(out);
}

/* The locations belong to the library, the campaign to the demo site. */
static Err import(struct play *play)
{
    int64_t started_us = clock_now_us();
    Str path = STR("/api/admin/import-blueprint");
    const struct json *places;
    const struct json *blueprint;
    TRY(embedded_json(play, STR("demo/locations.json"), &places));
    TRY(embedded_json(play, STR("demo/blueprint.json"), &blueprint));
    const struct json *answer;
    Str body = body_with(play, "locations", places, STR_NONE, NULL);
    TRY(client_ask(&play->client, "POST", path, body, &answer));
    body = body_with(play, "site_id", NULL, play->site, blueprint);
    TRY(client_ask(&play->client, "POST", path, body, &answer));
    play->campaign = text_at(answer, STR("campaign_id"));
    Str name = text_at(json_get(blueprint, STR("campaign")), STR("name"));
    say_done(play->demo->say, started_us, "demo campaign \"%.*s\", %u fragments", STR_FMT(name),
             json_len(json_get(blueprint, STR("fragments"))));
    return OK;
}

static Err make_headlines(struct play *play)
{
    int64_t started_us = clock_now_us();
    const struct json *answer;
    Str body = str_printf(play->arena, "{\"campaign_id\":\"%.*s\"}", STR_FMT(play->campaign));
    TRY(client_ask(&play->client, "POST", STR("/api/seo/generate-headlines"), body, &answer));
    int64_t total;
    TRY(count_of(play, STR("headline_inventory"), STR_NONE, &total));
    say_done(play->demo->say, started_us, "%jd headlines", (intmax_t)total);
    return OK;
}

/* Articles */

static void pause_poll(void)
{
    struct timespec pause = {.tv_nsec = POLL_US * 1000};
    nanosleep(&pause, NULL);
}

static void draw_bar(const struct play *play, int64_t made, int64_t wanted)
{
    const struct say *say = play->demo->say;
    if (!say->has_colour || wanted <= 0)
        return;
    int filled = (int)(made * BAR_WIDTH / wanted);
    fputs("\r    ", say->out);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputs(i < filled ? "█" : "░", say->out);
    fprintf(say->out, " %jd / %jd articles", (intmax_t)made, (intmax_t)wanted);
    fflush(say->out);
}

static void clear_bar(const struct play *play)
{
    if (play->demo->say->has_colour)
        fputs("\r\033[K", play->demo->say->out);
}

static Err start_batch(struct play *play, int64_t wanted, Str *ret_job)
{
    const struct json *answer;
    Str body = str_printf(
        play->arena, "{\"campaign_id\":\"%.*s\",\"batch_size\":%d,\"total\":%jd,\"async\":true}",
        STR_FMT(play->campaign), BATCH_SIZE, (intmax_t)wanted);
    TRY(client_ask(&play->client, "POST", STR("/api/seo/generate-article"), body, &answer));
    *ret_job = text_at(answer, STR("job_id"));
    return OK;
}

static bool is_over(Str status)
{
    return str_eq(status, STR("completed")) || str_eq(status, STR("failed")) ||
           str_eq(status, STR("cancelled"));
}

/* Waits until the batch ends, stops making progress, or the user interrupts. */
static Err watch_batch(struct play *play, Str job, int64_t wanted, Str *ret_status)
{
    Str path = str_printf(play->arena, "/items/generation_jobs/%.*s?fields=status,current_offset",
                          STR_FMT(job));
    int64_t made = 0;
    int64_t moved_us = clock_now_us();
    *ret_status = STR("unfinished");
    while (clock_now_us() - moved_us < STALLED_US && !supervisor_is_asked_to_stop()) {
        ArenaMark mark = arena_mark(play->arena);
        const struct json *answer;
        TRY(client_ask(&play->client, "GET", path, STR_NONE, &answer));
        const struct json *data = json_get(answer, STR("data"));
        int64_t now_made = number_at(data, STR("current_offset"));
        if (now_made != made)
            moved_us = clock_now_us();
        made = now_made;
        draw_bar(play, made, wanted);
        if (is_over(text_at(data, STR("status")))) {
            *ret_status = text_at(data, STR("status"));
            return OK;
        }
        arena_rewind(play->arena, mark);
        pause_poll();
    }
    return OK;
}

static Err make_articles(struct play *play)
{
    int64_t started_us = clock_now_us();
    int64_t wanted;
    TRY(count_of(play, STR("headline_inventory"), STR("&filter[status][_eq]=available"), &wanted));
    Str status = STR("completed");
    if (wanted > 0) {
        Str job;
        TRY(start_batch(play, wanted, &job));
        TRY(watch_batch(play, job, wanted, &status));
        clear_bar(play);
    }
    TRY(count_of(play, STR("generated_articles"), STR_NONE, &play->articles));
    if (supervisor_is_asked_to_stop() || wanted == 0)
        return OK;
    if (!str_eq(status, STR("completed")))
        return fail(play->client.ctx, ERR_UNAVAILABLE,
                    "the demo's articles are %.*s: see the logs of the workers", STR_FMT(status));
    double seconds = (double)(clock_now_us() - started_us) / (double)SECOND_US;
    say_done(play->demo->say, started_us, "%jd articles generated, %.0f per second",
             (intmax_t)wanted, (double)wanted / seconds);
    return OK;
}

/* Review and publishing */

static Str ids_body(struct play *play, const struct json *articles, bool is_publishing)
{
    struct buf *out = buf_in_arena(play->arena, BODY_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    if (is_publishing)
        json_field_str(&w, "status", STR("published"));
    json_key(&w, STR("article_ids"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < json_len(articles); i++)
        json_put_value(&w, json_get(json_at(articles, i), STR("id")));
    json_array_end(&w);
    json_object_end(&w);
    return buf_str(out);
}

static Err publish(struct play *play)
{
    int64_t started_us = clock_now_us();
    Str path =
        str_printf(play->arena,
                   "/items/generated_articles?filter[campaign_id][_eq]=%.*s"
                   "&filter[status][_in]=qc,approved&sort=date_created,id&limit=%d&fields=id",
                   STR_FMT(play->campaign), PUBLISHED);
    const struct json *answer;
    TRY(client_ask(&play->client, "GET", path, STR_NONE, &answer));
    const struct json *articles = json_get(answer, STR("data"));
    if (json_len(articles) == 0)
        return OK;
    TRY(client_ask(&play->client, "POST", STR("/api/seo/approve-batch"),
                   ids_body(play, articles, false), &answer));
    TRY(client_ask(&play->client, "PUT", STR("/api/seo/publish-article"),
                   ids_body(play, articles, true), &answer));
    say_done(play->demo->say, started_us, "%jd of them approved and published",
             (intmax_t)number_at(answer, STR("published")));
    return OK;
}

/* Results */

static void say_text(const struct say *say, Str text)
{
    enum { LINE = 92, LINES = 4 };
    for (int line = 0; line < LINES && text.len > 0; line++) {
        ptrdiff_t end = str_find_char(text, '\n');
        size_t cut = end > 0 ? (size_t)end : text.len;
        if (cut > LINE) {
            cut = LINE;
            while (cut > 1 && text.data[cut] != ' ')
                cut--;
        }
        bool is_last = line == LINES - 1 && cut < text.len;
        say_line(say, "    %.*s%s", STR_FMT(str_slice(text, 0, cut)), is_last ? " …" : "");
        text = str_trim(str_slice(text, cut, text.len));
    }
}

static Err show_one(struct play *play)
{
    const struct say *say = play->demo->say;
    Str path = str_printf(
        play->arena,
        "/items/generated_articles?filter[campaign_id][_eq]=%.*s"
        "&filter[status][_eq]=published&sort=id&limit=1&fields=title,slug,content,word_count",
        STR_FMT(play->campaign));
    const struct json *answer;
    TRY(client_ask(&play->client, "GET", path, STR_NONE, &answer));
    const struct json *article = json_at(json_get(answer, STR("data")), 0);
    if (article != NULL) {
        Str title = text_at(article, STR("title"));
        say_line(say, "\n  %.*s   (%jd words)", STR_FMT(title),
                 (intmax_t)number_at(article, STR("word_count")));
        say_text(say, plain_text(play->arena, text_at(article, STR("content")), 400));
        say_line(say, "\n  curl -g '%.*s/items/posts?fields=title,slug,published_at&limit=3'",
                 STR_FMT(play->demo->address));
    }
    double seconds = (double)(clock_now_us() - play->started_us) / (double)SECOND_US;
    say_line(say, "\n  The demo site has %jd articles, made in %.1f s.", (intmax_t)play->articles,
             seconds);
    return OK;
}

static Err play_through(struct play *play)
{
    Err (*const steps[])(struct play *) = {import,  make_headlines, make_articles,
                                           publish, close_site,     show_one};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (supervisor_is_asked_to_stop())
            return OK;
        TRY(steps[i](play));
    }
    return OK;
}

Err demo_run(struct ctx *ctx, const struct demo *demo)
{
    struct play play = {.demo = demo, .arena = ctx->arena, .started_us = clock_now_us()};
    TRY(client_open(ctx, demo->address, demo->admin_token, &play.client));
    bool is_wanted = false;
    Err err = open_site(&play, &is_wanted);
    if (err == OK && is_wanted)
        err = play_through(&play);
    client_close(&play.client);
    return err;
}
