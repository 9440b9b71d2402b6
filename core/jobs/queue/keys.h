/*
 * The Redis keys of the queue. Every module names its own keys in one header. All keys have a hash
 * tag, so that keys that are used together stay on one node of a cluster.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"

/* The queue: one shard for now; all its keys share the tag {q:0}. The names themselves are built
 * in core/jobs/queue/cq.lua from this prefix. */
#define KEY_QUEUE_TAG "{q:0}"
#define KEY_QUEUE_WAKE_UP "{q:0}:bell"
#define KEY_QUEUE_IDS "{q:0}:ids"
#define KEY_QUEUE_WORKERS "{q:0}:workers"
/* The jobs that a worker has taken and not finished. */
Str key_queue_held(struct arena *arena, Str worker);
/* The progress of jobs, a hash from id to JSON; cq_done deletes the entry. */
#define KEY_QUEUE_PROGRESS "{q:0}:progress"
