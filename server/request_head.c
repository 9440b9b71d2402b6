/*
 * A second look at the head of an HTTP/1 request.
 *
 * libh2o 2.2 takes the last of several Host headers, the first of several Content-Length headers,
 * and prefers Transfer-Encoding when both lengths are there. A proxy in front may have decided
 * otherwise, and then the two of us disagree where a request ends or whose it is. None of these
 * headers reaches a handler, so the bytes are looked at where they lie.
 */
#include "server/exchange.h"

struct seen {
    int hosts;
    int lengths;
    bool is_folded;
};

static bool is_named(Str line, Str name)
{
    return line.len > name.len && line.data[name.len] == ':' &&
           str_eq_nocase(str_slice(line, 0, name.len), name);
}

static void look_at_line(Str line, struct seen *seen)
{
    switch (line.data[0]) {
    case ' ':
    case '\t':
        seen->is_folded = true;
        return;
    case 'h':
    case 'H':
        seen->hosts += is_named(line, STR("host"));
        return;
    case 'c':
    case 'C':
        seen->lengths += is_named(line, STR("content-length"));
        return;
    case 't':
    case 'T':
        seen->lengths += is_named(line, STR("transfer-encoding"));
        return;
    default:
        return;
    }
}

/* The bytes of this request start where the connection's buffer starts: h2o throws the ones before
 * away when their answer is out. It has checked them: every head ends with an empty line. */
static struct seen look_at_head(Str bytes)
{
    struct seen seen = {0};
    Str rest = bytes;
    Str line;
    bool is_first = true;
    while (str_next(&rest, '\n', &line)) {
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0 && !is_first)
            break;
        if (line.len > 0 && !is_first)
            look_at_line(line, &seen);
        is_first = line.len == 0 && is_first; /* one empty line may come before the request */
    }
    return seen;
}

const char *request_head_fault(const h2o_req_t *req)
{
    const h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    if (req->version >= 0x200 || socket == NULL || socket->input == NULL)
        return NULL;
    struct seen seen = look_at_head(str_of(socket->input->bytes, socket->input->size));
    if (seen.is_folded)
        return "A header goes on in a second line";
    if (seen.lengths > 1)
        return "The length of the body is given more than once";
    if (seen.hosts > 1)
        return "There is more than one Host header";
    Str host = target_host(str_of(req->path.base, req->path.len));
    if (host.data != NULL && !str_eq_nocase(host, str_of(req->authority.base, req->authority.len)))
        return "The target names another host than the Host header";
    if (seen.hosts == 0 && req->version >= 0x101)
        return "There is no Host header";
    return NULL;
}
