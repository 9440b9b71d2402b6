#include "cli/supervise/client.h"

#include "base/text/buf.h"

#include <assert.h>
#include <curl/curl.h>

enum { CONNECT_TIMEOUT_S = 10, CALL_TIMEOUT_S = 60 };

Err client_open(struct ctx *ctx, Str address, Str token, struct client *ret)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return fail(ctx, ERR_UNAVAILABLE, "libcurl cannot be initialised");
    *ret = (struct client){.ctx = ctx, .address = address, .token = token, .curl = curl};
    return OK;
}

void client_close(struct client *client)
{
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    client->curl = NULL;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct buf *answer = arg;
    buf_put(answer, str_of(data, size * count));
    return answer->is_full ? 0 : size * count;
}

static void set_request(struct client *client, const char *method, Str path, Str body,
                        struct buf *answer)
{
    CURL *curl = client->curl;
    struct arena *arena = client->ctx->arena;
    Str url = str_printf(arena, "%.*s%.*s", STR_FMT(client->address), STR_FMT(path));
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, str_z(arena, url));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CALL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body.data != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
}

static struct curl_slist *headers_of(struct client *client)
{
    struct arena *arena = client->ctx->arena;
    Str bearer = str_printf(arena, "Authorization: Bearer %.*s", STR_FMT(client->token));
    struct curl_slist *headers = curl_slist_append(NULL, str_z(arena, bearer));
    headers = curl_slist_append(headers, "Content-Type: application/json");
    /* Send large bodies immediately, without waiting for "100 Continue". */
    return curl_slist_append(headers, "Expect:");
}

Err client_call(struct client *client, const char *method, Str path, Str body, int *ret_status,
                const struct json **ret)
{
    assert(client->curl != NULL);
    struct ctx *ctx = client->ctx;
    struct buf *answer = buf_in_arena(ctx->arena, CLIENT_ANSWER_MAX);
    set_request(client, method, path, body, answer);
    struct curl_slist *headers = headers_of(client);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(client->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return fail(ctx, ERR_UNAVAILABLE, "%s %.*s: %s", method, STR_FMT(path),
                    curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    const struct json *json = NULL;
    if (answer->len > 0)
        TRY(json_parse(ctx, buf_str(answer), JSON_LIMITS_DEFAULT, &json));
    *ret_status = (int)status;
    *ret = json;
    return OK;
}

/* The message of either error format: {message} or {errors: [{message}]}. */
static Str sentence_of(const struct json *answer)
{
    const struct json *message = json_get(answer, STR("message"));
    if (json_is_null(message))
        message = json_get(json_at(json_get(answer, STR("errors")), 0), STR("message"));
    return json_kind(message) == JSON_STRING ? json_str(message) : STR("no reason given");
}

Err client_ask(struct client *client, const char *method, Str path, Str body,
               const struct json **ret)
{
    int status;
    const struct json *answer;
    TRY(client_call(client, method, path, body, &status, &answer));
    if (status < 200 || status > 299) {
        Str sentence = sentence_of(answer);
        return fail(client->ctx, ERR_UNAVAILABLE, "%s %.*s answered %d: %.*s", method,
                    STR_FMT(path), status, STR_FMT(sentence));
    }
    *ret = answer;
    return OK;
}
