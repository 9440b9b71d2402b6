/*
 * Dispatch: the life of a request. Starts its fiber, finds out who asks, runs the handler, sends
 * the reply or the error, writes the log line. The client may go away under a waiting fiber, which
 * cancels it; no handler ever learns of that.
 */
#pragma once

struct exchange;

/* server_parts.answer; its answerer is a struct router. */
void dispatch_answer(struct exchange *exchange);
