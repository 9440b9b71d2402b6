/*
 * The crash page records what a process is doing: which job has the CPU, and which extension is
 * running. A server or worker maps the file that SPARK_CRASH_PAGE names, and the supervisor reads
 * it after the process has died. Without that variable the page is private to the process.
 *
 * Its layout need not be compatible with older versions: the supervisor, which is the same binary,
 * empties it before each start.
 */
#pragma once

#include "base/text/str.h"
#include "io/fiber/fiber.h"
#include "jobs/queue/lease.h"

enum {
    CRASH_THREADS_MAX = 64,    /* the maximum of SERVER_THREADS */
    CRASH_EXTENSIONS_MAX = 64, /* the maximum of the plugin host */
    CRASH_NAME_MAX = 256,      /* of a file */
};

/* `fatal_thread`: a thread that records nothing here. */
#define CRASH_OTHER_THREAD UINT32_MAX

struct crash_extension {
    char file[CRASH_NAME_MAX]; /* without ".so"; EXTENSIONS_DISABLED accepts both names */
    char name[CRASH_NAME_MAX]; /* its own name; empty before it has registered */
};

struct crash_page {
    struct fiber_shown threads[CRASH_THREADS_MAX]; /* a worker uses one, which runs its jobs */
    _Atomic uint32_t fatal_thread; /* 1 + the thread that got a fatal signal; 0: none was caught */
    _Atomic int64_t overrun_job; /* the job for which the hard timeout ended the process; 0: none */
    _Atomic int64_t overrun_s;   /* the hard timeout */
    char incarnation[INCARNATION_MAX]; /* of a worker; empty before it has one */
    struct crash_extension extensions[CRASH_EXTENSIONS_MAX]; /* current extension n: n - 1 */
};

/* The page of this process; the first call maps it, before there are threads. */
struct crash_page *crash_page(void);
/* Sets the incarnation of a worker. */
void crash_page_begin(Str incarnation);
/* From now until crash_page_hide, this thread records what it does, as number `thread`. Fatal
 * signals (SIGSEGV, SIGABRT …) of the thread are recorded before they take effect. */
void crash_page_show(uint32_t thread);
void crash_page_hide(void);
/* Names extension number `extension`: by its file before any of its code runs, and again once it
 * has registered its name. */
void crash_page_name(uint32_t extension, Str file, Str name);

/* The number of the extension whose code ended a process that left this page; 0: none, or not
 * known. */
uint32_t crash_page_extension(const struct crash_page *page);
/* The reason that is recorded for a job for which the hard timeout ended its process. */
Str crash_page_overrun_reason(struct arena *arena, int64_t limit_s);
