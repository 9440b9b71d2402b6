/*
 * Loading extensions: from file names to registered endpoints, jobs and hooks.
 */
#include "runtime/host.h"

#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/log.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/crash_page.h"
#include "runtime/host_internal.h"

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS_MAX = 16, PATH_SIZE = 4096, DESCRIPTION_MAX = 256 * 1024 };
static_assert((int)EXTENSIONS_MAX <= (int)CRASH_EXTENSIONS_MAX,
              "each has its name on the crash page");

/* Next to the binary, in a build tree or an installation. */
static const char *default_folder(struct arena *arena)
{
    static const char *const PLACES[] = {"../extensions", "../lib/spark/extensions"};
    char self[PATH_SIZE];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    while (len > 0 && self[len - 1] != '/')
        len--;
    for (size_t i = 0; i < COUNT_OF(PLACES) && len > 0; i++) {
        const char *folder = str_z(arena, str_printf(arena, "%.*s%s", (int)len, self, PLACES[i]));
        if (access(folder, R_OK | X_OK) == 0)
            return folder;
    }
    return NULL;
}

static int is_object(const struct dirent *entry)
{
    Str name = str_from_z(entry->d_name);
    return name.len > 3 && name.data[0] != '.' && str_ends_with(name, STR(".so"));
}

/* "hello, god": file names without ".so", or names of extensions. */
static bool is_listed(Str list, Str name)
{
    Str part;
    while (str_next(&list, ',', &part))
        if (str_eq(str_trim(part), name))
            return true;
    return false;
}

/* Why the extension of this name is disabled, or NULL. */
static const char *why_disabled(const struct host *host, Str name)
{
    if (is_listed(host->disabled, name))
        return "EXTENSIONS_DISABLED leaves it out";
    if (is_listed(host->crashed, name))
        return "it was switched off after a crash, until Spark is started again";
    return NULL;
}

static bool is_disabled(const struct host *host, struct extension *extension)
{
    extension->reason = why_disabled(host, str_from_z(extension->name));
    if (extension->reason != NULL)
        atomic_store(&extension->state, EXTENSION_DISABLED);
    return extension->reason != NULL;
}

static bool has_twin(const struct host *host, const struct extension *extension)
{
    for (uint32_t i = 0; i < host->count; i++) {
        const struct extension *other = host->extensions[i];
        if (other != extension && atomic_load(&other->state) == EXTENSION_ON &&
            str_eq(str_from_z(other->name), str_from_z(extension->name)))
            return true;
    }
    return false;
}

/* Opening it runs its constructors. */
static bool open_entered(struct host *host, struct extension *extension)
{
    Str file = str_from_z(extension->name);
    crash_page_name(extension->number - 1, file, STR(""));
    uint32_t before = extension_enter(extension);
    bool is_open = module_open(host->arena, extension);
    extension_leave(before);
    if (is_open)
        crash_page_name(extension->number - 1, file, str_from_z(extension->name));
    return is_open;
}

static bool start(struct host *host, struct extension *extension)
{
    if (!open_entered(host, extension) || is_disabled(host, extension))
        return false;
    if (has_twin(host, extension)) {
        extension->reason = str_z(
            host->arena,
            str_printf(host->arena, "%s is called \"%s\" as another one is: keep one of the two",
                       extension->file, extension->name));
        atomic_store(&extension->state, EXTENSION_REFUSED);
        return false;
    }
    return registry_start(host, extension);
}

static void log_left_out(const struct extension *extension)
{
    int state = atomic_load(&extension->state);
    if (state == EXTENSION_REFUSED)
        log_event(LOG_ERROR, "extension_refused", LOG_Z("extension", extension->name),
                  LOG_Z("reason", extension->reason));
    if (state == EXTENSION_DISABLED)
        log_event(LOG_WARN, "extension_disabled", LOG_Z("extension", extension->name),
                  LOG_Z("reason", extension->reason));
}

static void load_file(struct host *host, const char *folder, Str file)
{
    struct extension *extension = arena_new(host->arena, struct extension);
    Str name = str_slice(file, 0, file.len - 3);
    extension->name = str_z(host->arena, name);
    extension->version = "";
    extension->file = str_z(host->arena, str_printf(host->arena, "%s/%.*s", folder, STR_FMT(file)));
    host->extensions[host->count++] = extension;
    extension->number = host->count;
    if (!is_disabled(host, extension) && start(host, extension))
        log_event(LOG_INFO, "extension_started", LOG_Z("extension", extension->name),
                  LOG_Z("version", extension->version), LOG_Z("file", extension->file));
    log_left_out(extension);
}

static void load_folder(struct host *host, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_object, alphasort);
    if (count < 0) {
        log_event(LOG_ERROR, "extensions_unreadable", LOG_Z("folder", folder),
                  LOG_Z("reason", strerror(errno)));
        return;
    }
    for (int i = 0; i < count; i++) {
        if (host->count < EXTENSIONS_MAX)
            load_file(host, folder, str_from_z(entries[i]->d_name));
        else
            log_event(LOG_ERROR, "extension_refused", LOG_Z("extension", entries[i]->d_name),
                      LOG_Z("reason", "a host carries 64 extensions at most"));
        free(entries[i]);
    }
    free(entries);
}

/* False for a folder that is listed again under another path. */
static bool is_first(const char *const *folders, uint32_t count, const char *folder)
{
    for (uint32_t i = 0; i < count; i++) {
        struct stat a;
        struct stat b;
        if (stat(folders[i], &a) == 0 && stat(folder, &b) == 0 && a.st_dev == b.st_dev &&
            a.st_ino == b.st_ino)
            return false;
    }
    return true;
}

/* Bundled extensions first: another one with the same name is refused. */
static void load_folders(struct host *host)
{
    const char *folders[FOLDERS_MAX];
    uint32_t count = 0;
    const char *shipped = host->settings->extensions_shipped ? default_folder(host->arena) : NULL;
    if (shipped != NULL)
        folders[count++] = shipped;
    Str rest = host->settings->extensions_path;
    Str part;
    while (str_next(&rest, ':', &part)) {
        const char *folder = str_z(host->arena, str_trim(part));
        if (folder[0] == '\0' || !is_first(folders, count, folder))
            continue;
        if (count < FOLDERS_MAX)
            folders[count++] = folder;
        else
            log_event(LOG_ERROR, "extensions_unreadable", LOG_Z("folder", folder),
                      LOG_Z("reason", "EXTENSIONS_PATH may have 16 folders"));
    }
    for (uint32_t i = 0; i < count; i++)
        load_folder(host, folders[i]);
}

struct host *host_load(const struct settings *settings, HostRouteFn *is_route)
{
    struct arena *arena = arena_create();
    struct host *host = arena_new(arena, struct host);
    host->arena = arena;
    host->settings = settings;
    host->disabled = str_dup(arena, settings->extensions_disabled);
    host->crashed = str_dup(arena, str_from_z(getenv("SPARK_EXTENSIONS_CRASHED")));
    host->is_route = is_route;
    load_folders(host);
    if (host->offers.hooks != NULL)
        hooks_install(host);
    return host;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    hooks_remove();
    for (uint32_t i = host->count; i > 0; i--) {
        struct extension *extension = host->extensions[i - 1];
        int state = atomic_load(&extension->state);
        uint32_t before = extension_enter(extension);
        if ((state == EXTENSION_ON || state == EXTENSION_OFF) && extension->block->stop != NULL)
            extension->block->stop();
        extension_leave(before);
        /* Not closed: one of its threads may still run, and the process ends anyway. */
    }
    arena_destroy(host->arena);
}

static struct reactor_slot slot;

void host_serve(struct host *host, struct reactor *reactor)
{
    reactor_slot_set(reactor, &slot, host);
}

struct host *host_of(const struct reactor *reactor)
{
    return reactor_slot_find(reactor, &slot);
}

Str host_kind_is_off(const struct host *host, struct arena *arena, Str kind)
{
    ptrdiff_t dot = str_find_char(kind, '.');
    if (dot <= 0)
        return STR_NONE;
    Str name = str_slice(kind, 0, (size_t)dot);
    const char *why = why_disabled(host, name);
    if (why == NULL)
        return STR_NONE;
    return str_printf(arena, "it waits for the extension \"%.*s\": %s", STR_FMT(name), why);
}

bool host_has_crashed(const struct host *host)
{
    return host->crashed.len > 0;
}

Str host_describe(const struct host *host, struct arena *arena)
{
    static const char *const STATES[] = {"on", "off", "refused", "disabled"};
    struct json_writer w = json_writer(buf_in_arena(arena, DESCRIPTION_MAX));
    json_array_begin(&w);
    for (uint32_t i = 0; i < host->count; i++) {
        struct extension *extension = host->extensions[i];
        json_object_begin(&w);
        json_field_str(&w, "name", str_from_z(extension->name));
        json_field_str(&w, "version", str_from_z(extension->version));
        json_field_str(&w, "file", str_from_z(extension->file));
        json_field_str(&w, "state", str_from_z(STATES[atomic_load(&extension->state)]));
        if (extension->reason != NULL)
            json_field_str(&w, "reason", str_from_z(extension->reason));
        json_field_int(&w, "failures", (int64_t)atomic_load(&extension->failures));
        json_object_end(&w);
    }
    json_array_end(&w);
    return buf_str(w.out);
}
