/*
 * The duplicate scan on the real library, where it must say less than the original did: 20
 * articles that nearly all share three shingles, of which no two are duplicates.
 */
#include "base/crypto/random.h"
#include "base/text/buf.h"
#include "factory/duplicates/duplicates_internal.h"
#include "support/fixture.h"

#include <stdlib.h>
#include <unistd.h>

enum { ARTICLES = 20, PAIRS = ARTICLES * (ARTICLES - 1) / 2 };

static const char *folder(void)
{
    const char *named = getenv("SPARK_REAL_DATA");
    return named != NULL && named[0] != '\0' ? named : "data/spark";
}

static const struct json *rows_of(struct ctx *ctx, const char *collection)
{
    Str path = str_printf(ctx->arena, "%s/%s_2025-12-13.json", folder(), collection);
    return json_get(fixture_json(ctx, str_z(ctx->arena, path)), STR("data"));
}

/* As the original did: a slot's fragment by chance, again and again the same one if it comes so. */
static Str assemble(struct ctx *ctx, const struct json *fragments, const struct json *slots,
                    Random *random)
{
    struct buf *out = buf_in_arena(ctx->arena, 64 * 1024);
    for (uint32_t i = 0; i < json_len(slots); i++) {
        const struct json *chosen = NULL;
        uint64_t seen = 0;
        for (uint32_t j = 0; j < json_len(fragments); j++) {
            const struct json *row = json_at(fragments, j);
            if (str_eq(fixture_str(row, STR("fragment_type")), json_str(json_at(slots, i))) &&
                random_below(random, ++seen) == 0)
                chosen = row;
        }
        assert_non_null(chosen);
        buf_put(out, fixture_str(chosen, STR("content_body")));
        buf_put(out, STR("\n\n"));
    }
    return buf_str(out);
}

static void twenty_real_articles_share_shingles_and_are_no_duplicates(void **state)
{
    struct ctx *ctx = *state;
    if (access(folder(), R_OK) != 0) {
        print_message("no real data in %s; SPARK_REAL_DATA names its folder\n", folder());
        skip();
    }
    const struct json *fragments = rows_of(ctx, "content_fragments");
    const struct json *slots =
        json_get(json_at(rows_of(ctx, "article_templates"), 0), STR("structure_json"));
    struct thresholds thresholds = {.review = 0.3, .containment = 0.8, .min_shared = 3};
    struct shingle_set sets[ARTICLES];
    Random random = random_seeded(1);
    for (int i = 0; i < ARTICLES; i++)
        sets[i] = shingle_set_make(ctx->arena, assemble(ctx, fragments, slots, &random), NULL,
                                   SHINGLE_WORDS);
    uint32_t sharing = 0;
    double sum = 0;
    double most = 0;
    for (int i = 0; i < ARTICLES; i++)
        for (int j = i + 1; j < ARTICLES; j++) {
            struct shingle_match match;
            assert_false(is_duplicate(&thresholds, &sets[i], &sets[j], &match));
            sharing += match.shared >= 3 ? 1 : 0;
            sum += match.jaccard;
            most = match.jaccard > most ? match.jaccard : most;
        }
    print_message("%u of %d pairs share 3 shingles; mean similarity %.3f, largest %.3f\n", sharing,
                  PAIRS, sum / PAIRS, most);
    assert_true(sharing >= 180);
    assert_true(sum / PAIRS > 0.06 && sum / PAIRS < 0.11);
    assert_true(most < 0.3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(twenty_real_articles_share_shingles_and_are_no_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
