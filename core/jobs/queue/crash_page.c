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

/* Per signal what was there before us: the default, or a sanitizer's. */
static struct sigaction before[NSIG];
static struct crash_page *mapped;
static _Thread_local uint32_t own_thread; /* 1 + its number; 0: it shows nothing */
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

/* log_event allocates nothing, takes no lock and writes once: it may be called here. */
static void report_overflow(const void *address)
{
    struct fiber_overflow found;
    if (fiber_has_overflowed(address, &found))
        log_event(LOG_ERROR, "stack_overflow", LOG_Z("fiber", found.fiber),
                  LOG_Z("work", found.work), LOG_Z("stack", found.is_deep ? "deep" : "fiber"),
                  LOG_S("incarnation", str_from_z(mapped->incarnation)));
}

/* The first one counts: what comes after it (a sanitizer's abort) is its consequence. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    (void)context;
    uint32_t nobody = 0;
    uint32_t thread = own_thread != 0 ? own_thread : CRASH_OTHER_THREAD;
    atomic_compare_exchange_strong(&mapped->fatal_thread, &nobody, thread);
    if (number == SIGSEGV || number == SIGBUS)
        report_overflow(info->si_addr);
    sigaction(number, &before[number], NULL);
    /* A fault happens again as soon as we return; what was sent must be sent again. */
    bool is_fault = info->si_code > 0 && number != SIGTRAP && number != SIGSYS;
    if (!is_fault)
        raise(number);
}

/* An extension called exit(). The process ends at once: exit handlers would run beside the other
 * threads, one of those could crash over what they free, and would be blamed instead. */
static void on_exit_of_extension(int status, void *arg)
{
    (void)arg;
    if (own_thread == 0 || atomic_load(&mapped->threads[own_thread - 1].extension) == 0)
        return;
    uint32_t nobody = 0;
    atomic_compare_exchange_strong(&mapped->fatal_thread, &nobody, own_thread);
    _exit(status);
}

/* The stack of a fiber may be what has run out. A sanitizer that has set a stack keeps its own. */
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
        abort(); /* out of memory at the start */
}

void crash_page_show(uint32_t thread)
{
    assert(thread < CRASH_THREADS_MAX);
    struct crash_page *page = crash_page();
    if (thread == 0)
        watch_signals(); /* the first thread is there before the others */
    use_signal_stack();
    own_thread = thread + 1;
    fiber_show(&page->threads[thread]);
}

void crash_page_hide(void)
{
    fiber_show(NULL);
    own_thread = 0;
}

/* Without a witness (SIGKILL, exit) it is known only if there is but one candidate. */
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
        return 0; /* that is the job's affair */
    if (thread == 0)
        extension = only_extension(page);
    else if (thread <= CRASH_THREADS_MAX)
        extension = atomic_load(&page->threads[thread - 1].extension);
    return extension <= CRASH_EXTENSIONS_MAX ? extension : 0;
}

Str crash_page_overrun_reason(struct arena *arena, int64_t limit_s)
{
    return str_printf(arena,
                      "the hard time-out ended its worker: the job held the CPU for %jd s without "
                      "ever waiting (JOB_HARD_TIMEOUT)",
                      (intmax_t)limit_s);
}
