#include "jobs/queue/crash_page.h"

#include "base/memory/array.h"
#include "base/system/log.h"
#include "base/system/range.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIGNAL_STACK_SIZE = 32 * 1024 };

static const int FATAL[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

/* Previous action of each signal: the default, or a sanitizer's handler. */
static struct sigaction before[NSIG];
static struct crash_page *mapped;
static _Thread_local uint32_t own_thread; /* 1 + the number of this thread; 0: it records nothing */
static _Thread_local char signal_stack[SIGNAL_STACK_SIZE];

static struct crash_page *map_file(const char *path)
{
    assert(path != NULL);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void *memory = mmap(NULL, sizeof(struct crash_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory != MAP_FAILED ? memory : NULL;
}

struct crash_page *crash_page(void)
{
    static struct crash_page unseen;
    if (mapped != NULL)
        return mapped;
    const char *path = getenv("SPARK_CRASH_PAGE");
    mapped = path != NULL ? map_file(path) : NULL;
    if (mapped == NULL)
        mapped = &unseen;
    return mapped;
}

static void copy(char *to, size_t size, Str text)
{
    assert(size > 0);
    size_t len = min_size(text.len, size - 1);
    memcpy(to, text.data, len);
    to[len] = '\0';
}

void crash_page_begin(Str incarnation)
{
    copy(crash_page()->incarnation, INCARNATION_MAX, incarnation);
}

void crash_page_name(uint32_t extension, Str file, Str name)
{
    if (extension >= CRASH_EXTENSIONS_MAX)
        return;
    struct crash_extension *entry = &crash_page()->extensions[extension];
    copy(entry->file, CRASH_NAME_MAX, file);
    copy(entry->name, CRASH_NAME_MAX, name);
}

/* Async-signal-safe: log_event allocates nothing, takes no lock and makes one write. */
static void report_overflow(const void *address)
{
    struct fiber_overflow found;
    if (fiber_has_overflowed(address, &found))
        log_event(LOG_ERROR, "stack_overflow", LOG_Z("fiber", found.fiber),
                  LOG_Z("work", found.work), LOG_Z("stack", found.is_deep ? "deep" : "fiber"),
                  LOG_S("incarnation", str_from_z(mapped->incarnation)));
}

/* Only the first fatal signal counts: later ones (a sanitizer's abort) are consequences of it. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    (void)context;
    uint32_t none = 0;
    uint32_t thread = own_thread != 0 ? own_thread : CRASH_OTHER_THREAD;
    atomic_compare_exchange_strong(&mapped->fatal_thread, &none, thread);
    if (number == SIGSEGV || number == SIGBUS)
        report_overflow(info->si_addr);
    sigaction(number, &before[number], NULL);
    /* A fault recurs when the handler returns; a signal that was sent must be raised again. */
    bool is_fault = info->si_code > 0 && number != SIGTRAP && number != SIGSYS;
    if (!is_fault)
        raise(number);
}

/* An extension called exit(). Ends the process without the remaining exit handlers: they would run
 * while other threads use what they free, and a crash of such a thread would be charged to the
 * wrong code. */
static void on_exit_of_extension(int status, void *arg)
{
    (void)arg;
    if (own_thread == 0 || atomic_load(&mapped->threads[own_thread - 1].extension) == 0)
        return;
    uint32_t none = 0;
    atomic_compare_exchange_strong(&mapped->fatal_thread, &none, own_thread);
    _exit(status);
}

/* The signal may come from a stack overflow, so the handler needs a stack of its own. One that a
 * sanitizer has set up is kept. */
static void use_signal_stack(void)
{
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0)
        sigaltstack(&(stack_t){.ss_sp = signal_stack, .ss_size = sizeof signal_stack}, NULL);
}

static void watch_signals(void)
{
    static bool is_watching;
    if (is_watching)
        return;
    is_watching = true;
    struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT_OF(FATAL); i++)
        sigaction(FATAL[i], &action, &before[FATAL[i]]);
    if (on_exit(on_exit_of_extension, NULL) != 0)
        abort(); /* out of memory at startup */
}

void crash_page_show(uint32_t thread)
{
    assert(thread < CRASH_THREADS_MAX);
    struct crash_page *page = crash_page();
    if (thread == 0)
        watch_signals(); /* thread 0 starts before the others */
    use_signal_stack();
    own_thread = thread + 1;
    fiber_show(&page->threads[thread]);
}

void crash_page_hide(void)
{
    fiber_show(NULL);
    own_thread = 0;
}

/* No thread recorded a fatal signal (SIGKILL, exit): the extension is known only if all threads
 * that run an extension run the same one. */
static uint32_t only_extension(const struct crash_page *page)
{
    uint32_t found = 0;
    for (size_t i = 0; i < CRASH_THREADS_MAX; i++) {
        uint32_t extension = atomic_load(&page->threads[i].extension);
        if (extension != 0 && found != 0 && extension != found)
            return 0;
        found = extension != 0 ? extension : found;
    }
    return found;
}

uint32_t crash_page_extension(const struct crash_page *page)
{
    uint32_t thread = atomic_load(&page->fatal_thread);
    uint32_t extension = 0;
    if (atomic_load(&page->overrun_job) != 0)
        return 0; /* the job is to blame */
    if (thread == 0)
        extension = only_extension(page);
    else if (thread <= CRASH_THREADS_MAX)
        extension = atomic_load(&page->threads[thread - 1].extension);
    return extension <= CRASH_EXTENSIONS_MAX ? extension : 0;
}

Str crash_page_overrun_reason(struct arena *arena, int64_t limit_s)
{
    return str_printf(arena,
                      "the hard timeout ended its worker: the job held the CPU for %jd s without "
                      "ever waiting (JOB_HARD_TIMEOUT)",
                      (intmax_t)limit_s);
}
