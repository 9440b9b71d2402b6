/*
 * Any bytes as an article and, up to the first line's end, as a value to mask in it: shingles stay
 * within the words there are, a text is its own copy, and its signature agrees with itself.
 */
#include "factory/duplicates/minhash.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    Str html = str_of((const char *)data, size);
    Str line = html;
    struct shingle_masks *masks = shingle_masks_make(arena, NULL);
    (void)str_next(&(Str){html.data, html.len}, '\n', &line);
    shingle_masks_add(masks, line);
    struct shingle_set set = shingle_set_make(arena, html, masks, SHINGLE_WORDS);
    assert(set.count <= set.word_count && set.word_count <= html.len);
    assert(str_is_utf8(set.text));
    if (set.count > 0) {
        struct shingle_match match = shingle_sets_match(&set, &set);
        assert(match.shared == set.count && match.jaccard == 1 && match.containment == 1);
        assert(str_is_utf8(shingle_examples(arena, &set, &set, 5)));
        struct minhash minhash;
        minhash_make(&set, &minhash);
        assert(minhash_agree(&minhash, &minhash) == MINHASH_ROWS);
    }
    arena_destroy(arena);
    return 0;
}
