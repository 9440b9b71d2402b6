#include "server/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static Str copy(struct arena *arena, h2o_iovec_t v)
{
    return str_dup(arena, str_of(v.base, v.len));
}

static Str peer_address(struct arena *arena, const h2o_req_t *req)
{
    struct sockaddr_storage address;
    socklen_t len = req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&address);
    const void *bytes = NULL;
    if (len > 0 && address.ss_family == AF_INET)
        bytes = &((const struct sockaddr_in *)&address)->sin_addr;
    if (len > 0 && address.ss_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)&address)->sin6_addr;
    if (bytes == NULL)
        return STR("127.0.0.1"); /* a unix socket: somebody on this machine */
    char *text = arena_alloc_raw(arena, INET6_ADDRSTRLEN);
    inet_ntop(address.ss_family, bytes, text, INET6_ADDRSTRLEN);
    return str_from_z(text);
}

static void copy_headers(struct arena *arena, struct request *request, const h2o_req_t *req)
{
    size_t count =
        req->headers.size < REQUEST_HEADERS_MAX ? req->headers.size : REQUEST_HEADERS_MAX;
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
    if (req->query_at != SIZE_MAX && req->query_at < target.len) {
        request->path = str_slice(target, 0, req->query_at);
        request->query = str_slice(target, req->query_at + 1, target.len);
    }
    request->method = copy(arena, req->method);
    request->host = copy(arena, req->authority);
    request->ip = peer_address(arena, req);
    if (req->entity.base != NULL && req->entity.len > 0)
        request->body = copy(arena, req->entity);
    copy_headers(arena, request, req);
    exchange->is_head = str_eq(request->method, STR("HEAD"));
}
