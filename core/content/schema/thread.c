#include "content/schema/schema.h"
#include "content/schema/schema_build.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

static void thread_free(void *slot)
{
    struct content_thread *thread = slot;
    schema_unref(thread->schema);
    free(thread);
}

struct content_thread *content_thread(struct reactor *reactor)
{
    assert(reactor != NULL);
    struct content_thread *thread = reactor->slots[SLOT_SCHEMA];
    if (thread != NULL)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        abort();
    gate_init(&thread->load_gate, 1);
    reactor_keep(reactor, SLOT_SCHEMA, thread, thread_free);
    return thread;
}

void content_thread_set_schema(struct content_thread *thread, struct schema *schema)
{
    schema_unref(thread->schema);
    thread->schema = schema;
}
