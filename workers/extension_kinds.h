/*
 * The job kinds of extensions, as kinds of this worker.
 */
#pragma once

#include "runtime/host.h"
#include "workers/handlers.h"

/* Once, before the first claim; memory from the arena, which has to outlive the jobs. */
void extension_kinds_set(struct arena *arena, const struct host *host);
const struct job_kind *extension_kind_find(Str kind); /* or NULL */
/* All of them. */
uint32_t extension_kinds_all(const struct job_kind **ret);
/* Why a kind that nobody knows is not to be done now but is to wait (the sentence), or STR_NONE. */
Str extension_kind_is_off(struct arena *arena, Str kind);
