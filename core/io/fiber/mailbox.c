#include "io/fiber/mailbox.h"

#include "base/memory/array.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A post is the result of a call by the loop, so this many indicate a leak. */
enum { LETTERS_FIRST = 64, LETTERS_MAX = 1 << 20 };

struct letter {
    void (*fn)(void *arg);
    void *arg;
};

struct letters {
    struct letter *list;
    uint32_t count;
    uint32_t capacity;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letters incoming; /* guarded by lock */
    struct letters reading;  /* the loop's own */
    int fd;
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
    if (mailbox == NULL)
        abort();
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd < 0)
        abort();
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    assert(mailbox->incoming.count == 0);
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->incoming.list);
    free(mailbox->reading.list);
    free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

void mailbox_post(struct mailbox *mailbox, void (*fn)(void *arg), void *arg)
{
    assert(fn != NULL);
    pthread_mutex_lock(&mailbox->lock);
    struct letters *in = &mailbox->incoming;
    assert(in->count < LETTERS_MAX);
    ARRAY_GROW(in->list, in->count, in->capacity, LETTERS_FIRST);
    bool was_empty = in->count == 0;
    in->list[in->count++] = (struct letter){fn, arg};
    /* Inside the lock, because the loop may free the mailbox as soon as it has read the message. */
    if (was_empty)
        mailbox_ring(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_ring(struct mailbox *mailbox)
{
    int saved = errno;
    ssize_t written = write(mailbox->fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; /* EAGAIN: already signalled */
    errno = saved;
}

void mailbox_run(struct mailbox *mailbox, void (*after_each)(void *arg), void *arg)
{
    uint64_t rings;
    ssize_t got = read(mailbox->fd, &rings, sizeof(rings));
    (void)got;

    pthread_mutex_lock(&mailbox->lock);
    struct letters taken = mailbox->incoming;
    mailbox->incoming = mailbox->reading;
    mailbox->incoming.count = 0;
    pthread_mutex_unlock(&mailbox->lock);

    mailbox->reading = taken;
    for (uint32_t i = 0; i < taken.count; i++) {
        taken.list[i].fn(taken.list[i].arg);
        after_each(arg);
    }
}
