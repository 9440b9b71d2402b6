/*
 * One shared object: opening it and checking its compatibility. Each refusal says what was found,
 * what was expected and what to rebuild.
 */
#include "base/text/ascii.h"
#include "runtime/host_internal.h"

#include <dlfcn.h>
#include <sys/stat.h>

typedef const spark_extension *EntryFn(void);

static bool is_name(const char *name)
{
    if (name == NULL || name[0] < 'a' || name[0] > 'z')
        return false;
    size_t len = 0;
    for (; name[len] != '\0'; len++) {
        char c = name[len];
        if (len == NAME_MAX_LEN || !(ascii_is_lower(c) || ascii_is_digit(c) || c == '-'))
            return false;
    }
    return true;
}

static Str version_refusal(struct arena *arena, const spark_extension *block, const char *file)
{
    if (block->major != SPARK_API_MAJOR)
        return str_printf(arena,
                          "%s was built against spark.h %u.%u, this host speaks %d.%d: rebuild it "
                          "against this host's include/spark/spark.h",
                          file, block->major, block->minor, SPARK_API_MAJOR, SPARK_API_MINOR);
    if (block->minor > SPARK_API_MINOR)
        return str_printf(arena,
                          "%s needs spark.h %u.%u, this host speaks only %d.%d: update the host, "
                          "or rebuild it against this host's include/spark/spark.h",
                          file, block->major, block->minor, SPARK_API_MAJOR, SPARK_API_MINOR);
    return STR_NONE;
}

/* Within a major version structs only grow. A block smaller than that of 1.0, or larger than ours
 * with a version that is not newer, was built with a modified header. */
static Str size_refusal(struct arena *arena, const spark_extension *block, const char *file)
{
    size_t ours = sizeof(spark_extension);
    if (block->size == ours || (block->minor != SPARK_API_MINOR && block->size < ours))
        return STR_NONE;
    return str_printf(arena,
                      "%s says spark.h %u.%u, but its struct spark_extension has %zu bytes and "
                      "that version's has %zu: rebuild it with an unchanged spark.h",
                      file, block->major, block->minor, block->size, ours);
}

Str module_refusal(struct arena *arena, const spark_extension *block, const char *file)
{
    if (block == NULL)
        return str_printf(arena, "%s gives no extension: " SPARK_ENTRY_POINT "() returned NULL",
                          file);
    if (block->magic != SPARK_MAGIC)
        return str_printf(arena,
                          "%s is no extension of Spark: its magic number is %016jx, not %016jx; "
                          "begin its struct with SPARK_EXTENSION_HEAD and rebuild it",
                          file, (uintmax_t)block->magic, (uintmax_t)SPARK_MAGIC);
    Str refusal = version_refusal(arena, block, file);
    if (refusal.len == 0)
        refusal = size_refusal(arena, block, file);
    if (refusal.len > 0)
        return refusal;
    if (!is_name(block->name))
        return str_printf(arena,
                          "%s has no proper name: lower case letters, digits and '-', at most %d",
                          file, NAME_MAX_LEN);
    if (block->start == NULL || block->version == NULL)
        return str_printf(arena, "%s has no %s: fill in its struct spark_extension", file,
                          block->start == NULL ? "start function" : "version");
    return STR_NONE;
}

static bool refuse(struct arena *arena, struct extension *extension, Str reason)
{
    extension->reason = str_z(arena, reason);
    atomic_store(&extension->state, EXTENSION_REFUSED);
    if (extension->library != NULL)
        dlclose(extension->library);
    extension->library = NULL;
    return false;
}

/* A user with write access to the file could run code in this process. */
static bool is_writable_by_all(const char *file)
{
    struct stat info;
    return stat(file, &info) == 0 && (info.st_mode & S_IWOTH) != 0;
}

bool module_open(struct arena *arena, struct extension *extension)
{
    const char *file = extension->file;
    if (is_writable_by_all(file))
        return refuse(arena, extension,
                      str_printf(arena, "%s may be written by everybody: chmod o-w it", file));
    extension->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (extension->library == NULL)
        return refuse(arena, extension,
                      str_printf(arena,
                                 "%s cannot be loaded (%s): rebuild it on this system, for this "
                                 "kind of build",
                                 file, dlerror()));
    /* ISO C has no conversion between object and function pointers; POSIX guarantees this one. */
    union {
        void *object;
        EntryFn *function;
    } entry = {.object = dlsym(extension->library, SPARK_ENTRY_POINT)};
    if (entry.object == NULL)
        return refuse(
            arena, extension,
            str_printf(arena,
                       "%s is no extension of Spark: it does not export " SPARK_ENTRY_POINT "()",
                       file));
    const spark_extension *block = entry.function();
    Str refusal = module_refusal(arena, block, file);
    if (refusal.len > 0)
        return refuse(arena, extension, refusal);
    extension->block = block;
    extension->name = block->name;
    extension->version = block->version;
    return true;
}
