#include "content/schema/schema.h"
#include "content/schema/schema_build.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

static void thread_free(void *object)
{
    struct content_thread *thread = object;
    schema_unref(thread->schema);
    free(thread);
}

static void thread_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct content_thread *thread = object;
    gate_init(&thread->load_gate, 1);
}

static struct reactor_slot slot = {
    .size = sizeof(struct content_thread),
    .init = thread_init,
    .release = thread_free,
};

struct content_thread *content_thread(struct reactor *reactor)
{
    return reactor_slot(reactor, &slot);
}

void content_thread_set_schema(struct content_thread *thread, struct schema *schema)
{
    assert(schema != NULL && schema->references > 0);
    schema_unref(thread->schema);
    thread->schema = schema;
}
