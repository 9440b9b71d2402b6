#include "cli/process/process.h"

#include "base/system/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_US = 5000 };

static void poll_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_US * INT64_C(1000)}, NULL);
}

static void child_environment(const struct process_spec *spec)
{
    if (spec->has_clean_environment) {
        const char *path = getenv("PATH");
        char *kept = strdup(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
        clearenv();
        setenv("PATH", kept != NULL ? kept : "/usr/bin:/bin", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("TZ", "UTC", 1);
        free(kept);
    }
    for (size_t i = 0; spec->environment != NULL && spec->environment[i] != NULL; i++)
        putenv((char *)(uintptr_t)spec->environment[i]);
}

static bool child_log(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
}

static bool child_user(const struct service_user *user)
{
    if (user == NULL || !user->is_other)
        return true;
    return setgroups(0, NULL) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0;
}

/* Runs between fork and exec. Returns only on error, with errno. */
static void child_become(const struct process_spec *spec, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); /* so Ctrl-C only reaches the supervisor, which stops everything in order */

    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return;
    if (spec->log_path != NULL && !child_log(spec->log_path))
        return;
    if (!child_user(spec->user))
        return;

    /* after setuid, which clears it; and the parent may have died meanwhile */
    if (spec->death_signal != 0 && prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0)
        return;
    if (getppid() != parent)
        _exit(1);

    child_environment(spec);
    execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
}

Err process_start(struct ctx *ctx, const struct process_spec *spec, pid_t *ret)
{
    assert(spec->argv[0] != NULL);

    /* exec closes the pipe on success; otherwise the child writes errno to it */
    int report[2] = {-1, -1};
    if (pipe2(report, O_CLOEXEC) != 0)
        return fail(ctx, ERR_CONFIG, "cannot create a pipe: %s", strerror(errno));

    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        child_become(spec, parent);
        int error = errno;
        if (write(report[1], &error, sizeof(error)) != (ssize_t)sizeof(error))
            _exit(126);
        _exit(127);
    }
    close(report[1]);
    int error = pid < 0 ? errno : 0;
    if (pid > 0 && read(report[0], &error, sizeof(error)) <= 0)
        error = 0;
    close(report[0]);
    if (error != 0) {
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return fail(ctx, ERR_CONFIG, "%s cannot be started: %s", spec->argv[0], strerror(error));
    }
    *ret = pid;
    return OK;
}

bool process_wait(pid_t pid, int64_t timeout_us, int *ret_status)
{
    int64_t end_us = clock_now_us() + timeout_us;
    for (;;) {
        pid_t done = waitpid(pid, ret_status, WNOHANG);
        if (done == pid)
            return true;
        if (done < 0 && errno == ECHILD) {
            *ret_status = 0;
            return true;
        }
        if (clock_now_us() >= end_us)
            return false;
        poll_pause();
    }
}

Err process_run(struct ctx *ctx, const struct process_spec *spec, int64_t timeout_us)
{
    pid_t pid = 0;
    int64_t before = process_log_size(spec->log_path);
    TRY(process_start(ctx, spec, &pid));
    int status;
    if (!process_wait(pid, timeout_us, &status)) {
        process_stop(pid, SIGTERM, SECOND_US);
        return fail(ctx, ERR_CONFIG, "%s took longer than %d s", spec->argv[0],
                    (int)(timeout_us / SECOND_US));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    if (spec->log_path == NULL)
        return fail(ctx, ERR_CONFIG, "%s failed", spec->argv[0]);
    Str error = process_log_error(ctx, spec->log_path, before);
    return fail(ctx, ERR_CONFIG, "%.*s (%s failed; its log: %s)", STR_FMT(error), spec->argv[0],
                spec->log_path);
}

void process_stop(pid_t pid, int signal, int64_t timeout_us)
{
    int status;
    if (pid <= 0)
        return;
    kill(pid, signal);
    if (process_wait(pid, timeout_us, &status))
        return;
    kill(pid, SIGKILL);
    process_wait(pid, 5 * SECOND_US, &status);
}

static bool link_ends_with(pid_t pid, const char *link, const char *wanted, bool is_whole)
{
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, link);
    ssize_t length = readlink(path, target, sizeof(target));
    if (length <= 0 || (size_t)length == sizeof(target))
        return false;
    Str found = str_of(target, (size_t)length);
    Str name = str_from_z(wanted);
    if (is_whole)
        return str_eq(found, name);
    return str_ends_with(found, name) || str_find(found, name) >= 0;
}

bool process_is(pid_t pid, const char *program, const char *folder)
{
    return pid > 1 && pid != getpid() && link_ends_with(pid, "exe", program, false) &&
           link_ends_with(pid, "cwd", folder, true);
}

/* The state follows the program's name, which is in parentheses and may contain any character
 * (proc(5)). */
static bool has_ended(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    bool is_read = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    const char *name_end = is_read ? strrchr(line, ')') : NULL;
    return name_end == NULL || strncmp(name_end, ") Z", 3) == 0 || strncmp(name_end, ") X", 3) == 0;
}

bool process_stop_stray(pid_t pid, int signal, int64_t timeout_us)
{
    int64_t end_us = clock_now_us() + timeout_us;
    kill(pid, signal);
    while (!has_ended(pid)) {
        if (clock_now_us() >= end_us)
            return false;
        poll_pause();
    }
    return true;
}
