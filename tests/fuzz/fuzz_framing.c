/*
 * Any bytes as a request, whole and in pieces: the same refusal or the same head, body and end. The
 * head that libh2o gets is accepted again as one without a body, and written again as it is; and
 * libh2o's own reader finds the same method, target, version and host in it, and no body either.
 */
#include "server/http/framing.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libh2o's reader, which has no header that is installed. */
struct phr_header {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};
int phr_parse_request(const char *bytes, size_t len, const char **method, size_t *method_len,
                      const char **path, size_t *path_len, int *minor_version,
                      struct phr_header *headers, size_t *count, size_t seen);

struct outcome {
    enum refusal refusal;
    bool has_head;
    bool is_complete;
    size_t end;
    uint64_t body; /* a hash of it */
    size_t body_len;
};

static void add(struct outcome *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out->body = (out->body ^ (unsigned char)bytes[i]) * 1099511628211u;
    out->body_len += len;
}

static void read_body(const struct head *head, Str bytes, size_t step, struct outcome *out)
{
    struct chunks chunks = {0};
    uint64_t left = head->length;
    char *room = malloc(bytes.len + 1);
    assert(room != NULL);
    out->end = head->size;
    out->is_complete = head->body == BODY_ABSENT;
    while (!out->is_complete && out->end < bytes.len && out->refusal == REFUSAL_NONE) {
        size_t len = bytes.len - out->end < step ? bytes.len - out->end : step;
        size_t used = len < left ? len : (size_t)left;
        size_t written = used;
        if (head->body == BODY_CHUNKED)
            out->refusal = chunks_read(&chunks, bytes.data + out->end, len, &used, room, &written);
        else
            memcpy(room, bytes.data + out->end, used);
        if (out->refusal != REFUSAL_NONE)
            break;
        assert(used <= len && written <= used);
        add(out, room, written);
        left -= head->body == BODY_COUNTED ? used : 0;
        out->is_complete = head->body == BODY_COUNTED ? left == 0 : chunks.is_complete;
        out->end += used;
    }
    free(room);
}

static bool is_one_of(Str name, Str a, Str b, Str c)
{
    return str_eq_nocase(name, a) || str_eq_nocase(name, b) || str_eq_nocase(name, c);
}

static void check_library(const struct head *head, const char *written, size_t len)
{
    struct phr_header headers[HEAD_FIELDS_MAX];
    size_t count = HEAD_FIELDS_MAX;
    Str method;
    Str path;
    int minor;
    int used = phr_parse_request(written, len, &method.data, &method.len, &path.data, &path.len,
                                 &minor, headers, &count, 0);
    assert(used > 0 && (size_t)used == len);
    assert(str_eq(method, head_part(written, head->method)));
    assert(str_eq(path, head_part(written, head->target)));
    assert((minor == 0) == head->is_http_1_0 && count == head->fields);
    size_t hosts = 0;
    for (size_t i = 0; i < count; i++) {
        Str name = str_of(headers[i].name, headers[i].name_len);
        Str value = str_trim(str_of(headers[i].value, headers[i].value_len));
        assert(!is_one_of(name, STR("content-length"), STR("transfer-encoding"), STR("expect")));
        if (!str_eq_nocase(name, STR("host")))
            continue;
        hosts++;
        assert(str_eq(value, head_part(written, head->host)));
    }
    assert(hosts == head->hosts);
}

/* What libh2o gets is clear, and has no body. */
static void check_written(const struct head *head, const char *bytes)
{
    char *first = malloc(head->size);
    char *second = malloc(head->size);
    assert(first != NULL && second != NULL);
    size_t len = head_write(head, bytes, first);
    assert(len <= head->size);
    struct head again = {0};
    enum refusal refusal = head_read(&again, first, len);
    assert(refusal == REFUSAL_NONE && again.is_complete && again.size == len);
    assert(again.body == BODY_ABSENT && !again.expects_continue && again.authority.len == 0);
    check_library(&again, first, len);
    size_t len_again = head_write(&again, first, second);
    assert(len_again == len && memcmp(first, second, len) == 0);
    free(first);
    free(second);
}

static struct outcome read_in_pieces(Str bytes, size_t step)
{
    struct outcome out = {.body = 14695981039346656037u};
    struct head head = {0};
    for (size_t len = 0; out.refusal == REFUSAL_NONE && !head.is_complete && len < bytes.len;) {
        len = bytes.len - len < step ? bytes.len : len + step;
        out.refusal = head_read(&head, bytes.data, len);
    }
    out.has_head = head.is_complete;
    if (!head.is_complete)
        return out;
    check_written(&head, bytes.data);
    read_body(&head, bytes, step, &out);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    Str bytes = str_of((const char *)data + 1, size - 1);
    struct outcome whole = read_in_pieces(bytes, bytes.len);
    struct outcome split = read_in_pieces(bytes, (size_t)data[0] + 1);
    assert(whole.refusal == split.refusal && whole.has_head == split.has_head);
    if (whole.refusal != REFUSAL_NONE)
        return 0;
    assert(whole.is_complete == split.is_complete && whole.end == split.end);
    assert(whole.body == split.body && whole.body_len == split.body_len);
    return 0;
}
