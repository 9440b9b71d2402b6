/*
 * libcurl's multi interface on the loop. Only http_client.c and mailer.c use this: they create the
 * transfers, the pool transfers the bytes and reports completion. A pool keeps connections open for
 * later calls; that is why filtered and unfiltered calls have separate pools.
 */
#pragma once

struct http_pool;
struct http_transfer;
struct loop;

struct http_pool *http_pool_new(struct loop *loop);
void http_pool_free(struct http_pool *pool); /* no transfer may remain */

/* Starts the transfer of a CURL easy handle; done(arg, CURLcode) is called once, never from inside
 * this call and not after http_pool_remove. Non-zero: it was not started. */
int http_pool_add(struct http_pool *pool, void *easy, struct http_transfer *transfer);
void http_pool_remove(struct http_pool *pool, void *easy); /* valid after done as well */

struct http_transfer {
    void (*done)(void *arg, int code);
    void *arg;
};
