#include "jobs/crash_page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct crash_page *crash_page_map(Str incarnation)
{
    static struct crash_page unseen;
    const char *path = getenv("SPARK_WORKER_PAGE");
    struct crash_page *page = &unseen;
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *memory = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (memory != MAP_FAILED)
            page = memory;
    }
    size_t len = incarnation.len < INCARNATION_MAX - 1 ? incarnation.len : INCARNATION_MAX - 1;
    memcpy(page->incarnation, incarnation.data, len);
    page->incarnation[len] = '\0';
    page->job = 0;
    return page;
}
