/*
 * Runs a fuzzer's entry point once over every file of its corpus folder ($SPARK_CORPUS), so that
 * each input that ever broke a parser is tried in every build, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        exit(1);
    }
    /* Exactly as many bytes as the file has: AddressSanitizer sees the first one too many. */
    size_t size = (size_t)info.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(void)
{
    const char *folder = getenv("SPARK_CORPUS");
    struct dirent **entries;
    int count = folder != NULL ? scandir(folder, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "SPARK_CORPUS names no folder\n");
        return 1;
    }
    unsigned files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && length > 0 && (size_t)length < sizeof(path)) {
            replay_file(path);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("ok 1 - corpus_of_%u_files_is_survived\n", files);
    return files > 0 ? 0 : 1;
}
