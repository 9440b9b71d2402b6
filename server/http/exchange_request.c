#include "access/limits/ip_range.h"
#include "base/system/range.h"
#include "server/http/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static Str copy(struct arena *arena, h2o_iovec_t v)
{
    return str_dup(arena, str_of(v.base, v.len));
}

/* inet_ntop formats this with sprintf, which costs as much as a token cache lookup. */
static Str dotted(struct arena *arena, const struct in_addr *address)
{
    const unsigned char *bytes = (const unsigned char *)&address->s_addr;
    char *text = arena_alloc_raw(arena, INET_ADDRSTRLEN);
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            text[len++] = '.';
        if (bytes[i] >= 100)
            text[len++] = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            text[len++] = (char)('0' + bytes[i] / 10 % 10);
        text[len++] = (char)('0' + bytes[i] % 10);
    }
    return str_of(text, len);
}

static Str peer_address(struct arena *arena, const h2o_req_t *req)
{
    struct sockaddr_storage address;
    socklen_t len = req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&address);
    if (len > 0 && address.ss_family == AF_INET)
        return dotted(arena, &((const struct sockaddr_in *)&address)->sin_addr);
    if (len == 0 || address.ss_family != AF_INET6)
        return STR("127.0.0.1"); /* a unix socket: a client on this machine */
    char *text = arena_alloc_raw(arena, INET6_ADDRSTRLEN);
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&address)->sin6_addr, text,
              INET6_ADDRSTRLEN);
    return str_from_z(text);
}

/* Removes the last element of a comma-separated list; false when it is empty. */
static bool take_last(Str *list, Str *ret)
{
    if (list->len == 0)
        return false;
    size_t start = list->len;
    while (start > 0 && list->data[start - 1] != ',')
        start--;
    *ret = str_trim(str_slice(*list, start, list->len));
    *list = str_slice(*list, 0, start > 0 ? start - 1 : 0);
    return true;
}

/*
 * Each proxy appends the address of its client to X-Forwarded-For. So the list is read from the
 * end, as long as the element was written by one of our proxies; the rest is not trustworthy.
 */
static Str forwarded_address(const struct request *request, Str peer, Str proxies)
{
    Str address = peer;
    for (uint32_t i = request->header_count; i-- > 0;) {
        if (!str_eq(request->headers[i].name, STR("x-forwarded-for")))
            continue;
        Str list = request->headers[i].value;
        Str element;
        while (ip_in_ranges(address, proxies) && take_last(&list, &element)) {
            if (!ip_in_ranges(element, STR("0.0.0.0/0,::/0")))
                return address;
            address = element;
        }
    }
    return address;
}

/* The host that the nearest proxy received: the last element. Any client may send the header, so it
 * is used only from one of our proxies. */
static Str forwarded_host(const struct request *request, Str peer, Str proxies)
{
    for (uint32_t i = request->header_count; i-- > 0;) {
        Str list = request->headers[i].value;
        Str host;
        if (str_eq(request->headers[i].name, STR("x-forwarded-host")) &&
            ip_in_ranges(peer, proxies) && take_last(&list, &host) && host.len > 0)
            return host;
    }
    return request->host;
}

static void copy_headers(struct arena *arena, struct request *request, const h2o_req_t *req)
{
    size_t count = min_size(req->headers.size, REQUEST_HEADERS_MAX);
    struct request_header *headers = arena_array(arena, struct request_header, count);
    for (size_t i = 0; i < count; i++) {
        headers[i].name = copy(arena, *req->headers.entries[i].name);
        headers[i].value = copy(arena, req->headers.entries[i].value);
    }
    request->headers = headers;
    request->header_count = (uint32_t)count;
}

void exchange_copy_request(struct exchange *exchange, const h2o_req_t *req)
{
    struct arena *arena = exchange->arena;
    struct request *request = &exchange->request;
    Str target = copy(arena, req->path);
    request->path = target;
    ptrdiff_t question = str_find_char(target, '?');
    if (question >= 0) {
        request->path = str_slice(target, 0, (size_t)question);
        request->query = str_slice(target, (size_t)question + 1, target.len);
    }
    request->envelope = envelope_of_path(request->path);
    request->method = copy(arena, req->method);
    request->host = copy(arena, req->authority);
    copy_headers(arena, request, req);
    Str proxies = exchange->server->reactor->settings->trusted_proxies;
    request->ip = peer_address(arena, req);
    if (proxies.len > 0) {
        request->host = forwarded_host(request, request->ip, proxies);
        request->ip = forwarded_address(request, request->ip, proxies);
        exchange->is_of_proxy = ip_in_ranges(request->ip, proxies);
    }
    exchange->is_head = str_eq(request->method, STR("HEAD"));
}
