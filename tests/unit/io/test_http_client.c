/* Outbound HTTP against a small server on a thread: what is sent, what comes back, what is refused.
 */
#include "io/net/http_client.h"
#include "io_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers connections one after the other: "/echo" with the request itself, "/big" with a megabyte
 * of unknown length, "/never" not at all, "/redirect" with a redirect, "/empty" with 204. */
struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    struct fixture *f;
    struct http_client *client;
};

static size_t read_request(int fd, char *request, size_t max)
{
    size_t len = 0;
    size_t wanted = 0;
    while (wanted == 0 || len < wanted) {
        ssize_t got = read(fd, request + len, max - 1 - len);
        if (got <= 0)
            return 0;
        len += (size_t)got;
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strcasestr(request, "content-length:");
        wanted = (size_t)(end - request) + 4;
        if (length != NULL)
            wanted += strtoul(length + 15, NULL, 10);
    }
    return len;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        len -= (size_t)sent;
    }
}

static void answer(int fd, const char *request, size_t len)
{
    char head[256];
    if (strstr(request, " /never") != NULL) {
        char byte;
        while (read(fd, &byte, 1) > 0)
            ;
        return;
    }
    if (strstr(request, " /big") != NULL) {
        char chunk[4096];
        memset(chunk, 'b', sizeof(chunk));
        send_all(fd, "HTTP/1.0 200 OK\r\n\r\n", 19);
        for (int i = 0; i < 256; i++)
            send_all(fd, chunk, sizeof(chunk));
        return;
    }
    if (strstr(request, " /wait") != NULL) {
        static const char WAIT[] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 77\r\n"
                                   "Content-Length: 0\r\nConnection: close\r\n\r\n";
        send_all(fd, WAIT, sizeof(WAIT) - 1);
        return;
    }
    if (strstr(request, " /redirect") != NULL || strstr(request, " /empty") != NULL) {
        bool is_empty = strstr(request, " /empty") != NULL;
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 is_empty ? "204 No Content" : "302 Found\r\nLocation: /echo");
        send_all(fd, head, strlen(head));
        return;
    }
    snprintf(head, sizeof(head),
             "HTTP/1.1 201 Created\r\nContent-Type: text/x-echo\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             len);
    send_all(fd, head, strlen(head));
    send_all(fd, request, len);
}

static void *serve(void *arg)
{
    struct server *server = arg;
    char *request = malloc(1 << 20);
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        size_t len = read_request(fd, request, 1 << 20);
        if (len > 0)
            answer(fd, request, len);
        close(fd);
    }
    free(request);
    return NULL;
}

static void server_start(struct server *server, struct fixture *f)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(in);
    *server = (struct server){.fd = socket(AF_INET, SOCK_STREAM, 0), .f = f};
    assert_int_equal(bind(server->fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&in, &len), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    server->port = ntohs(in.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
    server->client = http_client_new(f->loop);
}

static void server_stop(struct server *server)
{
    http_client_free(server->client);
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

struct fetch_test {
    struct server *server;
    struct http_call call;
    struct http_answer answer;
    struct fiber *fiber;
    char url[128];
};

static Err fetch_body(struct ctx *ctx, void *arg)
{
    struct fetch_test *t = arg;
    t->fiber = fiber_self();
    Err err = http_fetch(ctx, t->server->client, &t->call, &t->answer);
    t->fiber = NULL;
    return err;
}

static struct fetch_test fetch_of(struct server *server, const char *path)
{
    struct fetch_test t = {
        .server = server,
        .call = {.method = STR("GET"), .response_max = 64 * 1024, .allow_private = true}};
    snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%u%s", server->port, path);
    return t;
}

static Err fetch(struct fetch_test *t)
{
    if (t->call.url.data == NULL)
        t->call.url = str_from_z(t->url);
    return run_in_fiber(t->server->f, fetch_body, t);
}

static void request_carries_method_headers_and_body(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/echo?a=b");
    t.call.method = STR("PATCH");
    t.call.headers = (const Str[]){STR("X-One: 1"), STR("Content-Type: application/json")};
    t.call.header_count = 2;
    t.call.body = STR("{\"a\":1}");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 201);
    assert_true(str_eq(t.answer.content_type, STR("text/x-echo")));
    assert_true(str_starts_with(t.answer.body, STR("PATCH /echo?a=b HTTP/1.1\r\n")));
    assert_true(str_find(t.answer.body, STR("\r\nX-One: 1\r\n")) > 0);
    assert_true(str_find(t.answer.body, STR("\r\nContent-Type: application/json\r\n")) > 0);
    assert_true(str_find(t.answer.body, STR("Expect")) < 0);
    assert_true(str_ends_with(t.answer.body, STR("\r\n\r\n{\"a\":1}")));
    server_stop(&server);
}

static void get_has_no_body_and_an_empty_answer_is_fine(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/echo");
    assert_int_equal(fetch(&t), OK);
    assert_true(str_starts_with(t.answer.body, STR("GET /echo ")));
    assert_true(str_find(t.answer.body, STR("Content-")) < 0);
    t = fetch_of(&server, "/empty");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 204);
    assert_int_equal(t.answer.body.len, 0);
    t = fetch_of(&server, "/echo");
    t.call.method = STR("HEAD");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.body.len, 0);
    server_stop(&server);
}

static void redirects_are_not_followed(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/redirect");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 302);
    server_stop(&server);
}

static void answer_has_a_maximum(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/big");
    t.call.response_max = 1 << 20;
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.body.len, 1 << 20);
    t.call.response_max = (1 << 20) - 1;
    assert_int_equal(fetch(&t), ERR_TOO_LARGE);
    t = fetch_of(&server, "/echo"); /* told beforehand by Content-Length */
    t.call.response_max = 10;
    assert_int_equal(fetch(&t), ERR_TOO_LARGE);
    server_stop(&server);
}

static void private_addresses_are_refused_unless_allowed(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/echo");
    assert_int_equal(fetch(&t), OK); /* leaves a connection that must not be used below */
    t.call.allow_private = false;
    assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    snprintf(t.url, sizeof(t.url), "http://localhost:%u/echo", server.port);
    assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    snprintf(t.url, sizeof(t.url), "http://[::ffff:127.0.0.1]:%u/echo", server.port);
    assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    snprintf(t.url, sizeof(t.url), "http://2130706433:%u/echo", server.port); /* 127.0.0.1 */
    assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    server_stop(&server);
}

static bool is_one(const void *arg, Str ip)
{
    return str_eq(ip, str_from_z(arg));
}

static void exempt_addresses_pass_the_filter_and_no_others(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/echo");
    t.call.allow_private = false;
    t.call.is_exempt = is_one;
    t.call.exempt_arg = "127.0.0.1";
    assert_int_equal(fetch(&t), OK);
    t.call.exempt_arg = "127.0.0.2";
    t.call.url = STR_NONE;
    snprintf(t.url, sizeof(t.url), "http://localhost:%u/other", server.port); /* another pool key */
    assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    server_stop(&server);
}

static void ports_that_are_not_the_webs_are_refused(void **state)
{
    struct server server;
    server_start(&server, *state);
    static const char *const URLS[] = {"http://198.41.0.4:25/", "http://198.41.0.4:22/",
                                       "http://[2001:503:ba3e::2:30]:53/"};
    for (int i = 0; i < 3; i++) {
        struct fetch_test t = fetch_of(&server, "/");
        t.call.allow_private = false;
        t.call.url = str_from_z(URLS[i]);
        assert_int_equal(fetch(&t), ERR_FORBIDDEN);
    }
    server_stop(&server);
}

static void answer_that_may_be_cut_is_its_beginning(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/big");
    t.call.may_cut = true;
    t.call.response_max = 1000;
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 200);
    assert_true(t.answer.body.len <= 1000);
    t = fetch_of(&server, "/echo"); /* told beforehand by Content-Length */
    t.call.may_cut = true;
    t.call.response_max = 10;
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 201);
    server_stop(&server);
}

static void answer_says_when_to_come_again(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/wait");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.status, 429);
    assert_int_equal(t.answer.retry_after_s, 77);
    t = fetch_of(&server, "/empty");
    assert_int_equal(fetch(&t), OK);
    assert_int_equal(t.answer.retry_after_s, 0);
    server_stop(&server);
}

static Err fetch_and_look(struct ctx *ctx, void *arg)
{
    struct fetch_test *t = arg;
    Err err = http_fetch(ctx, t->server->client, &t->call, &t->answer);
    assert_int_not_equal(err, OK);
    assert_true(str_find(ctx->diag.first->reason, STR("secret")) < 0);
    return err;
}

static void sentences_do_not_tell_what_is_secret_in_a_url(void **state)
{
    struct server server;
    server_start(&server, *state);
    static const char *const URLS[] = {
        "http://127.0.0.1:1/secret?key=secret",
        "http://127.0.0.1?secret",
        "http://127.0.0.1#secret",
        "http://a:secret@127.0.0.1:1/",
        "gopher://127.0.0.1/secret",
        "http://127.0.0.1:1\\secret",
        "http://:secret@:/",
    };
    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        struct fetch_test t = fetch_of(&server, "/");
        t.call.url = str_from_z(URLS[i]);
        t.call.allow_private = i % 2 == 0;
        assert_int_not_equal(run_in_fiber(server.f, fetch_and_look, &t), OK);
    }
    server_stop(&server);
}

static void silent_server_is_given_up_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_start(&server, f);
    struct fetch_test t = fetch_of(&server, "/never");
    t.call.url = str_from_z(t.url);
    struct in_fiber run = in_fiber_make(f, fetch_body, &t);
    run.ctx.deadline_us = clock_now_us() + 50 * MS_US;
    fiber_spawn(f->loop, "fetch", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_TIMEOUT);
    server_stop(&server);
}

static void call_can_be_cancelled_in_every_turn(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_start(&server, f);
    for (int turns = 0; turns < 8; turns++) {
        struct fetch_test t = fetch_of(&server, turns % 2 ? "/echo" : "/never");
        t.call.url = str_from_z(t.url);
        struct in_fiber run = in_fiber_make(f, fetch_body, &t);
        fiber_spawn(f->loop, "fetch", in_fiber_main, &run);
        for (int i = 0; i < turns && t.fiber != NULL; i++)
            loop_turn(f->loop, 20);
        if (t.fiber != NULL)
            fiber_cancel(t.fiber);
        turn_until_empty(f->loop);
        assert_true(run.result == OK || run.result == ERR_CANCELLED);
    }
    server_stop(&server);
}

static void no_server_and_no_name_are_unavailable(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/");
    t.call.url = STR("http://127.0.0.1:1/");
    assert_int_equal(fetch(&t), ERR_UNAVAILABLE);
    t.call.url = STR("http://no-such-host.invalid/");
    assert_int_equal(fetch(&t), ERR_UNAVAILABLE);
    server_stop(&server);
}

static void malformed_calls_are_refused(void **state)
{
    struct server server;
    server_start(&server, *state);
    static const Str URLS[] = {STR_INIT("file:///etc/hostname"), STR_INIT("gopher://127.0.0.1/"),
                               STR_INIT("http://"), STR_INIT("http://a\0b/"), STR_INIT("")};
    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        struct fetch_test t = fetch_of(&server, "/");
        t.call.url = URLS[i];
        assert_int_equal(fetch(&t), ERR_INVALID_PAYLOAD);
    }
    static const Str HEADERS[] = {STR_INIT("X: a\r\nY: b"), STR_INIT("no colon"), STR_INIT(": x"),
                                  STR_INIT("X: a\0b"), STR_INIT("a b: c")};
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
        struct fetch_test t = fetch_of(&server, "/echo");
        t.call.headers = &HEADERS[i];
        t.call.header_count = 1;
        assert_int_equal(fetch(&t), ERR_INVALID_PAYLOAD);
    }
    struct fetch_test t = fetch_of(&server, "/echo");
    t.call.method = STR("GET / HTTP/1.1\r\nX:");
    assert_int_equal(fetch(&t), ERR_INVALID_PAYLOAD);
    server_stop(&server);
}

static Err fetch_once(struct ctx *ctx, void *arg)
{
    struct fetch_test t = *(struct fetch_test *)arg;
    TRY(http_fetch(ctx, t.server->client, &t.call, &t.answer));
    assert_int_equal(t.answer.status, 201);
    return OK;
}

static Err fetch_many(struct ctx *ctx, void *arg)
{
    struct group group;
    group_init(&group, ctx);
    for (int i = 0; i < 100; i++)
        group_spawn(&group, ctx, "fetch", fetch_once, arg);
    return group_join(ctx, &group);
}

static void hundred_calls_run_at_once(void **state)
{
    struct server server;
    server_start(&server, *state);
    struct fetch_test t = fetch_of(&server, "/echo");
    t.call.url = str_from_z(t.url);
    assert_int_equal(run_in_fiber(*state, fetch_many, &t), OK);
    server_stop(&server);
}

int main(void)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    const struct CMUnitTest tests[] = {
        io_test(request_carries_method_headers_and_body),
        io_test(get_has_no_body_and_an_empty_answer_is_fine),
        io_test(redirects_are_not_followed),
        io_test(answer_has_a_maximum),
        io_test(private_addresses_are_refused_unless_allowed),
        io_test(exempt_addresses_pass_the_filter_and_no_others),
        io_test(ports_that_are_not_the_webs_are_refused),
        io_test(answer_that_may_be_cut_is_its_beginning),
        io_test(answer_says_when_to_come_again),
        io_test(sentences_do_not_tell_what_is_secret_in_a_url),
        io_test(silent_server_is_given_up_at_the_deadline),
        io_test(call_can_be_cancelled_in_every_turn),
        io_test(no_server_and_no_name_are_unavailable),
        io_test(malformed_calls_are_refused),
        io_test(hundred_calls_run_at_once),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
