#include "server/http/framing.h"
#include "support/fixture.h"

#include <stdlib.h>

/* What one request is: a refusal, or its canonical head, its body and where it ends. */
struct outcome {
    enum refusal refusal;
    bool is_complete;
    char head[1024];
    size_t head_len;
    char body[1024];
    size_t body_len;
    size_t size;
};

static enum refusal read_body(struct head *head, struct chunks *chunks, Str bytes, size_t step,
                              struct outcome *out)
{
    size_t at = head->size;
    uint64_t left = head->length;
    out->is_complete = head->body == BODY_ABSENT;
    while (!out->is_complete && at < bytes.len) {
        size_t len = bytes.len - at < step ? bytes.len - at : step;
        size_t used = len < left ? len : (size_t)left;
        size_t written = used;
        if (head->body == BODY_COUNTED) {
            memcpy(out->body + out->body_len, bytes.data + at, used);
            left -= used;
            out->is_complete = left == 0;
        } else {
            enum refusal refusal = chunks_read(chunks, bytes.data + at, len, &used,
                                               out->body + out->body_len, &written);
            if (refusal != REFUSAL_NONE)
                return refusal;
            out->is_complete = chunks->is_complete;
        }
        out->body_len += written;
        at += used;
    }
    out->size = at;
    return REFUSAL_NONE;
}

/* As a connection does it: `first` bytes, and then `step` by `step`. */
static struct outcome read_in_pieces(Str bytes, size_t first, size_t step)
{
    struct outcome out = {0};
    struct head head = {0};
    struct chunks chunks = {0};
    size_t len = first;
    for (;;) {
        out.refusal = head_read(&head, bytes.data, len);
        if (out.refusal != REFUSAL_NONE || head.is_complete || len == bytes.len)
            break;
        len = bytes.len - len < step ? bytes.len : len + step;
    }
    if (out.refusal != REFUSAL_NONE || !head.is_complete)
        return out;
    out.head_len = head_write(&head, bytes.data, out.head);
    out.refusal = read_body(&head, &chunks, bytes, step, &out);
    return out;
}

static void assert_same_in_every_split(Str bytes)
{
    struct outcome whole = read_in_pieces(bytes, bytes.len, bytes.len);
    for (size_t step = 1; step <= 3; step++) {
        for (size_t first = 0; first <= bytes.len; first++) {
            struct outcome split = read_in_pieces(bytes, first, step);
            assert_int_equal(split.refusal, whole.refusal);
            if (whole.refusal != REFUSAL_NONE)
                continue;
            assert_int_equal(split.is_complete, whole.is_complete);
            assert_int_equal(split.size, whole.size);
            assert_true(
                str_eq(str_of(split.head, split.head_len), str_of(whole.head, whole.head_len)));
            assert_true(
                str_eq(str_of(split.body, split.body_len), str_of(whole.body, whole.body_len)));
        }
    }
}

static void every_split_of_every_request_is_read_alike(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET",
        "\r\nGET /a?b HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: y\r\n\r\nabcd",
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: "
         "a\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\nG"),
        "POST http://A/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "\r\n\r\n",
        "GET / HTTP/3.0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        assert_same_in_every_split(str_from_z(requests[i]));
}

static void assert_refused(const char *bytes, enum refusal wanted)
{
    Str all = str_from_z(bytes);
    struct outcome out = read_in_pieces(all, all.len, all.len);
    assert_string_equal(refusal_info(out.refusal)->name, refusal_info(wanted)->name);
    assert_same_in_every_split(all);
}

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static void what_is_wrong_has_one_name(void **state)
{
    (void)state;
    assert_refused("GET /\r\n", REFUSAL_REQUEST_LINE);
    assert_refused("GET  / HTTP/1.1\r\n", REFUSAL_REQUEST_LINE);
    assert_refused("GET x HTTP/1.1\r\n", REFUSAL_TARGET);
    assert_refused("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", REFUSAL_TARGET_HOST);
    assert_refused("GET / HTTP/1.1\r\n\r\n", REFUSAL_NO_HOST);
    assert_refused(HEAD "Host: b\r\n", REFUSAL_TWO_HOSTS);
    assert_refused("GET / HTTP/1.1\r\nHost: a/b\r\n", REFUSAL_HOST);
    assert_refused(HEAD "A : b\r\n", REFUSAL_FIELD);
    assert_refused(HEAD "A: b\x01\r\n", REFUSAL_FIELD_VALUE);
    assert_refused(HEAD "\tA: b\r\n", REFUSAL_FOLD);
    assert_refused(HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", REFUSAL_TWO_LENGTHS);
    assert_refused(HEAD "Content-Length: 1,1\r\n", REFUSAL_LENGTH);
    assert_refused(HEAD "Content-Length: 1234567890123456789\r\n", REFUSAL_LENGTH);
    assert_refused(HEAD "Transfer-Encoding: gzip\r\n", REFUSAL_CODING);
    assert_refused(HEAD "Transfer-Encoding: gzip, chunked\r\n", REFUSAL_CODING_UNKNOWN);
    assert_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                   REFUSAL_CODING_OF_HTTP_1_0);
    assert_refused(HEAD "Expect: x\r\n", REFUSAL_EXPECTATION);
    assert_refused("CONNECT a:1 HTTP/1.1\r\n", REFUSAL_METHOD);
    assert_refused("GET / HTTP/1.2\r\n", REFUSAL_VERSION);
    assert_refused(CHUNKED "1;a\r\n", REFUSAL_CHUNK_EXTENSION);
    assert_refused(CHUNKED "g\r\n", REFUSAL_CHUNK_SIZE);
    assert_refused(CHUNKED "123456789\r\n", REFUSAL_CHUNK_SIZE);
    assert_refused(CHUNKED "1\r\nab", REFUSAL_CHUNK_END);
    assert_refused(CHUNKED "0\r\nA", REFUSAL_TRAILER);
}

static void libh2o_sees_a_path_and_no_length(void **state)
{
    (void)state;
    Str bytes = STR("\r\nPOST http://a.b:1?c HTTP/1.1\r\nA: b\r\nExpect: 100-continue\r\n"
                    "Host: a.b:1\r\nContent-Length: 2\r\nD: e\r\n\r\n{}");
    struct outcome out = read_in_pieces(bytes, bytes.len, bytes.len);
    out.head[out.head_len] = '\0';
    assert_string_equal(out.head, "POST /?c HTTP/1.1\r\nA: b\r\nHost: a.b:1\r\nD: e\r\n\r\n");
    assert_int_equal(out.size, bytes.len);
}

static enum refusal read_repeated(const char *before, char c, size_t count)
{
    struct head head = {0};
    size_t len = strlen(before) + count;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memcpy(bytes, before, strlen(before));
    memset(bytes + strlen(before), c, count);
    enum refusal refusal = head_read(&head, bytes, len);
    free(bytes);
    return refusal;
}

static void heads_have_a_limit_in_bytes_and_in_headers(void **state)
{
    (void)state;
    assert_int_equal(read_repeated("GET /", 'a', HEAD_MAX), REFUSAL_TARGET_TOO_LONG);
    assert_int_equal(read_repeated("GET / HTTP/1.1\r\nA: ", 'a', HEAD_MAX), REFUSAL_HEAD_TOO_LARGE);
    assert_int_equal(read_repeated("GET / HTTP/1.1\r\nA: ", 'a', HEAD_MAX / 2), REFUSAL_NONE);
    struct head head = {.method = {0, 3}};
    char bytes[8 * (HEAD_FIELDS_MAX + 1)];
    for (size_t i = 0; i < sizeof bytes; i += 8)
        memcpy(bytes + i, "abcd:e\r\n", 8);
    assert_int_equal(head_read(&head, bytes, sizeof bytes - 8), REFUSAL_NONE);
    assert_int_equal(head_read(&head, bytes, sizeof bytes), REFUSAL_TOO_MANY_FIELDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_of_every_request_is_read_alike),
        cmocka_unit_test(what_is_wrong_has_one_name),
        cmocka_unit_test(libh2o_sees_a_path_and_no_length),
        cmocka_unit_test(heads_have_a_limit_in_bytes_and_in_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
