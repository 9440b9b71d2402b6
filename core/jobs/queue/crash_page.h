/*
 * The page that tells what a dead process was doing: which job had its CPU, whose code had been
 * entered. A server or worker maps the file that SPARK_CRASH_PAGE names; the supervisor reads it
 * when the process has died. Without that variable it is a page that nobody else sees.
 *
 * Changing it needs no care for older ones: the supervisor empties it before each start, and is of
 * the same binary.
 */
#pragma once

#include "base/text/str.h"
#include "io/fiber/fiber.h"
#include "jobs/queue/lease.h"

enum {
    CRASH_THREADS_MAX = 64,    /* SERVER_THREADS has no more */
    CRASH_EXTENSIONS_MAX = 64, /* nor has the host */
    CRASH_NAME_MAX = 256,      /* of a file */
};

/* `fatal_thread`: none that shows what it does, so that nothing of it is known. */
#define CRASH_OTHER_THREAD UINT32_MAX

struct crash_extension {
    char file[CRASH_NAME_MAX]; /* without ".so"; both are what EXTENSIONS_DISABLED knows */
    char name[CRASH_NAME_MAX]; /* what it calls itself; empty before it said so */
};

struct crash_page {
    struct fiber_shown threads[CRASH_THREADS_MAX]; /* a worker has one that runs jobs */
    _Atomic uint32_t fatal_thread; /* 1 + where a fatal signal came; 0: nobody was there to see */
    _Atomic int64_t overrun_job;   /* the hard time-out ended the process for this one; 0: not */
    _Atomic int64_t overrun_s;     /* and had this length */
    char incarnation[INCARNATION_MAX]; /* a worker's; empty before it has one */
    struct crash_extension extensions[CRASH_EXTENSIONS_MAX]; /* current extension n: n - 1 */
};

/* The page of this process; the first call maps it, before there are threads. */
struct crash_page *crash_page(void);
/* A worker is somebody else from now on. */
void crash_page_begin(Str incarnation);
/* This thread shows what it does, as number `thread`, until crash_page_hide. What happens to it by
 * SIGSEGV, SIGABRT and their like is noted before it takes its course. */
void crash_page_show(uint32_t thread);
void crash_page_hide(void);
/* What number `extension` is called, before anything of it is run and after it said its name. */
void crash_page_name(uint32_t extension, Str file, Str name);

/* The number of the extension whose code ended a process that left this page; 0: none, or not
 * known. */
uint32_t crash_page_extension(const struct crash_page *page);
