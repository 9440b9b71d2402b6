/*
 * What a duplicate scan must find: every pair of articles compared with every other, exactly.
 *
 *   exact_pairs FILE THRESHOLD
 *
 * FILE has a line an article: number, city, HTML, separated by tabs. Prints the pairs' numbers.
 */
#include "base/text/buf.h"
#include "factory/duplicates/shingle.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARTICLES_MAX = 10 * 1000, LINE_MAX_BYTES = 1 << 20 };

struct article {
    char number[24];
    struct shingle_set set;
};

static Str field_next(Str *rest)
{
    ptrdiff_t end = str_find_char(*rest, '\t');
    Str field = str_slice(*rest, 0, end < 0 ? rest->len : (size_t)end);
    *rest = str_slice(*rest, end < 0 ? rest->len : (size_t)end + 1, rest->len);
    return field;
}

static struct article read_article(struct arena *arena, char *line, size_t len)
{
    struct article article = {0};
    Str rest = str_of(line, len);
    Str number = field_next(&rest);
    (void)snprintf(article.number, sizeof article.number, "%.*s", STR_FMT(number));
    struct shingle_masks *masks = shingle_masks_make(arena, NULL);
    shingle_masks_add(masks, field_next(&rest));
    article.set = shingle_set_make(arena, str_dup(arena, rest), masks, SHINGLE_WORDS);
    return article;
}

static uint32_t read_all(struct arena *arena, FILE *file, struct article *articles)
{
    uint32_t count = 0;
    char *line = malloc(LINE_MAX_BYTES);
    if (line == NULL)
        return 0;
    while (count < ARTICLES_MAX && fgets(line, LINE_MAX_BYTES, file) != NULL) {
        size_t len = 0;
        while (line[len] != 0 && line[len] != '\n')
            len++;
        articles[count++] = read_article(arena, line, len);
    }
    free(line);
    return count;
}

int main(int argc, char **argv)
{
    double threshold = argc == 3 ? strtod(argv[2], NULL) : 0;
    FILE *file = threshold > 0 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        (void)fprintf(stderr, "exact_pairs FILE THRESHOLD\n");
        return 2;
    }
    struct arena *arena = arena_create();
    struct article *articles = arena_array(arena, struct article, ARTICLES_MAX);
    uint32_t count = read_all(arena, file, articles);
    (void)fclose(file);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++)
            if (shingle_sets_match(&articles[i].set, &articles[j].set).jaccard >= threshold)
                (void)printf("%s %s\n", articles[i].number, articles[j].number);
    arena_destroy(arena);
    return 0;
}
