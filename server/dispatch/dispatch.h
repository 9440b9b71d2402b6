/*
 * Dispatch: the life of a request. Starts its fiber, authenticates the caller, runs the handler,
 * sends the reply or the error, writes the log line. If the client disconnects, the waiting fiber
 * is cancelled; handlers need no code for that.
 */
#pragma once

struct exchange;

/* server_parts.answer; its answerer is a struct router. */
void dispatch_answer(struct exchange *exchange);
