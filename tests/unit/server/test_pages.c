/* The static pages in memory: which files become pages, and what names a representation. */
#include "server/pages/pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h wants the others before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

struct fixture {
    char folder[64];
    struct pages pages;
};

/* Stands in for gzip: what is compressed is the caller's business. */
static Str halve(struct arena *arena, Str bytes)
{
    (void)arena;
    return bytes.len < 4 ? STR_NONE : str_slice(bytes, 0, bytes.len / 2);
}

static void file_make(const struct fixture *fixture, const char *name, const char *text, off_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    if (size > 0)
        assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static void folder_make(const struct fixture *fixture, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/spark-pages.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->pages.arena = arena_create();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    assert_int_equal(system(command), 0);
    arena_destroy(fixture->pages.arena);
    free(fixture);
    return 0;
}

static const struct page *load_and_find(struct fixture *fixture, const char *path)
{
    fixture->pages.count = 0;
    pages_load(&fixture->pages, str_from_z(fixture->folder), halve);
    return pages_find(&fixture->pages, str_from_z(path));
}

static void index_is_the_page_of_its_folder(void **state)
{
    struct fixture *fixture = *state;
    folder_make(fixture, "help");
    file_make(fixture, "index.html", "front", 0);
    file_make(fixture, "help/index.html", "help", 0);
    assert_non_null(load_and_find(fixture, "/"));
    assert_non_null(pages_find(&fixture->pages, STR("/help/")));
    assert_null(pages_find(&fixture->pages, STR("/index.html")));
    assert_null(pages_find(&fixture->pages, STR("/help")));
}

static void hidden_files_and_links_are_no_pages(void **state)
{
    struct fixture *fixture = *state;
    char link[128];
    snprintf(link, sizeof link, "%s/link.txt", fixture->folder);
    file_make(fixture, ".secret.txt", "secret", 0);
    assert_int_equal(symlink("/etc/hostname", link), 0);
    assert_null(load_and_find(fixture, "/link.txt"));
    assert_int_equal(fixture->pages.count, 0);
}

static void type_follows_the_suffix_and_text_alone_is_compressed(void **state)
{
    struct fixture *fixture = *state;
    file_make(fixture, "a.js", "let x;", 0);
    file_make(fixture, "b.png", "pixels", 0);
    file_make(fixture, "c.what", "unknown", 0);
    const struct page *script = load_and_find(fixture, "/a.js");
    assert_true(str_eq(script->type, STR("text/javascript; charset=utf-8")));
    assert_int_equal(script->gzip.bytes.len, 3);
    const struct page *image = pages_find(&fixture->pages, STR("/b.png"));
    assert_true(str_eq(image->type, STR("image/png")));
    assert_null(image->gzip.bytes.data);
    const struct page *other = pages_find(&fixture->pages, STR("/c.what"));
    assert_true(str_eq(other->type, STR("application/octet-stream")));
}

static void etag_changes_with_the_bytes_and_with_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    file_make(fixture, "a.css", "a { }", 0);
    Str first = load_and_find(fixture, "/a.css")->plain.etag;
    file_make(fixture, "a.css", "a { }", 0);
    const struct page *same = load_and_find(fixture, "/a.css");
    assert_true(str_eq(first, same->plain.etag));
    assert_false(str_eq(first, same->gzip.etag));
    file_make(fixture, "a.css", "b { }", 0);
    assert_false(str_eq(first, load_and_find(fixture, "/a.css")->plain.etag));
}

static void what_passes_a_limit_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    file_make(fixture, "big.txt", "", PAGE_SIZE_MAX + 1);
    folder_make(fixture, "1");
    folder_make(fixture, "1/2");
    folder_make(fixture, "1/2/3");
    folder_make(fixture, "1/2/3/4");
    folder_make(fixture, "1/2/3/4/5");
    file_make(fixture, "1/2/3/4/in.txt", "x", 0);
    file_make(fixture, "1/2/3/4/5/out.txt", "x", 0);
    assert_null(load_and_find(fixture, "/big.txt"));
    assert_non_null(pages_find(&fixture->pages, STR("/1/2/3/4/in.txt")));
    assert_null(pages_find(&fixture->pages, STR("/1/2/3/4/5/out.txt")));
}

static void more_than_256_pages_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < PAGES_MAX + 1; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.txt", i);
        file_make(fixture, name, "x", 0);
    }
    assert_null(load_and_find(fixture, "/none"));
    assert_int_equal(fixture->pages.count, PAGES_MAX);
}

static void folder_that_is_not_there_has_no_pages(void **state)
{
    struct fixture *fixture = *state;
    pages_load(&fixture->pages, STR("/nonexistent/pages"), halve);
    assert_int_equal(fixture->pages.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(index_is_the_page_of_its_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(hidden_files_and_links_are_no_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(type_follows_the_suffix_and_text_alone_is_compressed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(etag_changes_with_the_bytes_and_with_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_passes_a_limit_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_256_pages_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(folder_that_is_not_there_has_no_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
