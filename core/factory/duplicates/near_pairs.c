#include "factory/duplicates/near_pairs.h"

#include "base/crypto/random.h"

#include <math.h>

enum {
    DEPTH_MAX = 8, /* rows in a key, one byte each */
    DEPTH_FIRST_MAX = 6,
    RUN_MAX = 64,    /* a longer run is subdivided */
    NEIGHBOURS = 16, /* neighbours compared in a run that cannot be subdivided */
    BANDS_STEP = 4,
    FEW_MAX = 2000, /* new texts; above this, the bands are faster */
    FEW_STEP = 32,  /* new texts per step, so that their signatures stay in the L1 cache */
};
#define MISSED_MAX 0.01    /* of pairs at the threshold, by the choice of rows */
#define DEVIATIONS 2.5     /* that an estimate may be below */
#define JACCARD_FLOOR 0.15 /* no containment is looked for below */

struct partner {
    uint32_t other;
    uint16_t agree;
};

struct text {
    uint32_t shingles;
    bool is_old;
    uint8_t partner_count;
};

struct entry {
    uint64_t key;
    uint32_t text;
};

struct near_pairs {
    struct minhash *minhashes;
    struct text *texts;
    struct partner *partners; /* NEAR_PARTNERS_MAX per text */
    struct entry *entries;
    struct entry *spare; /* second buffer of the radix sort */
    uint32_t count;
    uint32_t max;
    uint32_t depth; /* rows that must agree */
    double jaccard;
    double containment;
    uint16_t agree_min[MINHASH_ROWS + 1];   /* by the number of shingles of the larger set */
    uint16_t agree_floor[MINHASH_ROWS + 1]; /* lower bound, including containment */
    uint32_t *new_texts;                    /* the texts that are not old */
    uint32_t new_count;
    uint16_t rows[NEAR_BANDS][DEPTH_MAX];
};

/* Initialisation */

/* The number of equal rows below which a pair is dropped. */
static uint16_t agree_min(double jaccard, uint32_t shingles)
{
    double rows = shingles < MINHASH_ROWS ? shingles : MINHASH_ROWS;
    double deviation = sqrt(jaccard * (1 - jaccard) / (rows > 0 ? rows : 1));
    double least = jaccard - DEVIATIONS * deviation;
    if (least <= 0)
        return 1;
    return (uint16_t)floor(MINHASH_ROWS *
                           (least + (1 - least) / 256)); /* a byte matches by chance */
}

static uint32_t first_depth(double jaccard)
{
    uint32_t depth = 1;
    while (depth < DEPTH_FIRST_MAX && pow(1 - pow(jaccard, depth + 1), NEAR_BANDS) <= MISSED_MAX)
        depth++;
    return depth;
}

/* The rows of a band, all different. The seed is fixed, so the choice is always the same. */
static void choose_rows(uint16_t rows[DEPTH_MAX], Random *random)
{
    for (uint32_t i = 0; i < DEPTH_MAX;) {
        uint16_t row = (uint16_t)random_below(random, MINHASH_ROWS);
        bool is_taken = false;
        for (uint32_t j = 0; j < i; j++)
            is_taken = is_taken || rows[j] == row;
        if (!is_taken)
            rows[i++] = row;
    }
}

struct near_pairs *near_pairs_make(struct arena *arena, uint32_t max, double jaccard,
                                   double containment)
{
    assert(jaccard > 0 && jaccard <= 1 && containment > 0 && containment <= 1);
    struct near_pairs *near = arena_new(arena, struct near_pairs);
    near->max = max;
    near->jaccard = jaccard;
    near->containment = containment;
    near->depth = first_depth(jaccard);
    size_t places = max > 0 ? max : 1;
    near->minhashes = arena_alloc_raw(arena, places * sizeof(struct minhash));
    near->texts = arena_alloc_raw(arena, places * sizeof(struct text));
    near->partners = arena_alloc_raw(arena, places * NEAR_PARTNERS_MAX * sizeof(struct partner));
    near->entries = arena_alloc_raw(arena, places * sizeof(struct entry));
    near->spare = arena_alloc_raw(arena, places * sizeof(struct entry));
    near->new_texts = arena_alloc_raw(arena, places * sizeof(uint32_t));
    for (uint32_t i = 0; i <= MINHASH_ROWS; i++) {
        near->agree_min[i] = agree_min(jaccard, i);
        near->agree_floor[i] = agree_min(jaccard < JACCARD_FLOOR ? jaccard : JACCARD_FLOOR, i);
    }
    Random random = random_seeded(1);
    for (uint32_t i = 0; i < NEAR_BANDS; i++)
        choose_rows(near->rows[i], &random);
    return near;
}

void near_pairs_put(struct near_pairs *near, const struct minhash *minhash, uint32_t shingles,
                    bool is_old)
{
    assert(near->count < near->max && shingles > 0);
    if (!is_old)
        near->new_texts[near->new_count++] = near->count;
    near->minhashes[near->count] = *minhash;
    near->texts[near->count++] = (struct text){.shingles = shingles, .is_old = is_old};
}

/* Comparing */

/* Containment c in a set x times as large is a Jaccard similarity of c / (1 + x - c). */
static bool is_near(const struct near_pairs *near, const struct text *a, const struct text *b,
                    uint32_t agree)
{
    uint32_t small = a->shingles < b->shingles ? a->shingles : b->shingles;
    uint32_t large = a->shingles < b->shingles ? b->shingles : a->shingles;
    uint32_t rows = large < MINHASH_ROWS ? large : MINHASH_ROWS;
    if (agree < near->agree_floor[rows])
        return false;
    double ratio = (double)large / (double)small;
    double contained = near->containment / (1 + ratio - near->containment);
    if (contained >= near->jaccard || contained < JACCARD_FLOOR)
        return agree >= near->agree_min[rows];
    return agree >= agree_min(contained, large);
}

/* Keeps each partner once; if there are too many, the most similar ones. */
static void keep_partner(struct near_pairs *near, uint32_t text, struct partner found)
{
    struct partner *partners = &near->partners[(size_t)text * NEAR_PARTNERS_MAX];
    uint8_t *count = &near->texts[text].partner_count;
    uint32_t least = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (partners[i].other == found.other)
            return;
        if (partners[i].agree < partners[least].agree)
            least = i;
    }
    if (*count < NEAR_PARTNERS_MAX)
        partners[(*count)++] = found;
    else if (partners[least].agree < found.agree)
        partners[least] = found;
}

/* Stores the pair with `a`. */
static void compare(struct near_pairs *near, uint32_t a, uint32_t b)
{
    if (near->texts[a].is_old && near->texts[b].is_old)
        return;
    uint32_t agree = minhash_agree(&near->minhashes[a], &near->minhashes[b]);
    if (is_near(near, &near->texts[a], &near->texts[b], agree))
        keep_partner(near, a, (struct partner){.other = b, .agree = (uint16_t)agree});
}

/* Stores the pair with the first text only. */
static void compare_in_order(struct near_pairs *near, uint32_t x, uint32_t y)
{
    compare(near, x < y ? x : y, x < y ? y : x);
}

static void compare_run(struct near_pairs *near, const struct entry *run, uint32_t count)
{
    uint32_t reach = count <= RUN_MAX ? count : NEIGHBOURS + 1;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count && j < i + reach; j++)
            compare_in_order(near, run[i].text, run[j].text);
}

/* The texts of `run` have equal keys in the first `depth` rows. */
static void divide(struct near_pairs *near, const struct entry *run, uint32_t count, uint32_t depth)
{
    assert(depth <= DEPTH_MAX);
    if (depth >= near->depth && (count <= RUN_MAX || depth == DEPTH_MAX)) {
        compare_run(near, run, count);
        return;
    }
    /* Start with the number of rows that must be equal, then add one at a time. */
    uint32_t next = depth < near->depth ? near->depth : depth + 1;
    uint32_t shift = 64 - 8 * next;
    for (uint32_t from = 0; from < count;) {
        uint32_t to = from + 1;
        while (to < count && run[to].key >> shift == run[from].key >> shift)
            to++;
        if (to - from > 1)
            divide(near, run + from, to - from, next);
        from = to;
    }
}

/* Sorting */

static uint64_t key_of(const struct minhash *minhash, const uint16_t rows[DEPTH_MAX])
{
    uint64_t key = 0;
    for (uint32_t i = 0; i < DEPTH_MAX; i++)
        key = key << 8 | minhash->rows[rows[i]];
    return key;
}

/* Counting sort by the byte at `shift` of the key; stable. */
static void sort_by_byte(const struct entry *from, struct entry *to, uint32_t count, uint32_t shift)
{
    uint32_t places[256] = {0};
    for (uint32_t i = 0; i < count; i++)
        places[from[i].key >> shift & 0xFF]++;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t here = places[i];
        places[i] = sum;
        sum += here;
    }
    for (uint32_t i = 0; i < count; i++)
        to[places[from[i].key >> shift & 0xFF]++] = from[i];
}

static void sort_entries(struct near_pairs *near)
{
    for (uint32_t shift = 0; shift < 64; shift += 16) {
        sort_by_byte(near->entries, near->spare, near->count, shift);
        sort_by_byte(near->spare, near->entries, near->count, shift + 8);
    }
}

void near_pairs_run(struct near_pairs *near, uint32_t from, uint32_t to)
{
    assert(from <= to && to <= NEAR_BANDS);
    for (uint32_t band = from; band < to; band++) {
        for (uint32_t i = 0; i < near->count; i++)
            near->entries[i] = (struct entry){key_of(&near->minhashes[i], near->rows[band]), i};
        sort_entries(near);
        divide(near, near->entries, near->count, 0);
    }
}

/* Steps */

static bool has_few_new(const struct near_pairs *near)
{
    return near->new_count <= FEW_MAX && near->new_count < near->count / 4;
}

uint32_t near_pairs_steps(const struct near_pairs *near)
{
    static_assert(NEAR_BANDS % BANDS_STEP == 0, "every step must have the same number of bands");
    if (has_few_new(near))
        return (near->new_count + FEW_STEP - 1) / FEW_STEP;
    return NEAR_BANDS / BANDS_STEP;
}

/* Stores a pair with the new text, so that each new text has its 16 most similar partners; with an
 * old text, all new ones would share its 16 places. Of two new texts, the first keeps the pair. */
static void compare_with_all(struct near_pairs *near, const uint32_t *new_texts, uint32_t count)
{
    for (uint32_t other = 0; other < near->count; other++)
        for (uint32_t i = 0; i < count; i++) {
            if (near->texts[other].is_old || new_texts[i] < other)
                compare(near, new_texts[i], other);
        }
}

void near_pairs_step(struct near_pairs *near, uint32_t step)
{
    assert(step < near_pairs_steps(near));
    if (!has_few_new(near)) {
        near_pairs_run(near, step * BANDS_STEP, (step + 1) * BANDS_STEP);
        return;
    }
    uint32_t from = step * FEW_STEP;
    uint32_t left = near->new_count - from;
    compare_with_all(near, near->new_texts + from, left < FEW_STEP ? left : FEW_STEP);
}

/* Results */

static const struct partner *partners_of(const struct near_pairs *near, uint32_t text)
{
    return &near->partners[(size_t)text * NEAR_PARTNERS_MAX];
}

/* The pairs to return: all with at least `agree` equal rows, and `rest` of those with one less. So
 * a limit does not drop all pairs of many equally similar copies. */
struct choice {
    uint32_t agree;
    uint32_t rest;
    uint32_t total;
};

static struct choice choose_likest(const struct near_pairs *near, uint32_t max)
{
    uint32_t counts[MINHASH_ROWS + 1] = {0};
    for (uint32_t i = 0; i < near->count; i++)
        for (uint32_t j = 0; j < near->texts[i].partner_count; j++)
            counts[partners_of(near, i)[j].agree]++;
    struct choice choice = {.agree = MINHASH_ROWS + 1};
    while (choice.agree > 0 && counts[choice.agree - 1] <= max - choice.total)
        choice.total += counts[--choice.agree];
    choice.rest = choice.agree > 0 ? max - choice.total : 0;
    choice.total += choice.rest;
    return choice;
}

static bool is_chosen(struct choice *choice, uint32_t agree)
{
    if (agree >= choice->agree)
        return true;
    if (agree + 1 < choice->agree || choice->rest == 0)
        return false;
    choice->rest--;
    return true;
}

/* Writes the chosen pairs of one text, in order. */
static uint32_t put_pairs(const struct near_pairs *near, uint32_t text, struct choice *choice,
                          struct near_pair *pairs)
{
    uint32_t count = 0;
    for (uint32_t j = 0; j < near->texts[text].partner_count; j++) {
        struct partner found = partners_of(near, text)[j];
        if (!is_chosen(choice, found.agree))
            continue;
        uint32_t at = count++;
        for (; at > 0 && pairs[at - 1].b > found.other; at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = (struct near_pair){text, found.other};
    }
    for (uint32_t i = 0; i < count; i++)
        if (pairs[i].b < text)
            pairs[i] = (struct near_pair){pairs[i].b, text};
    return count;
}

const struct near_pair *near_pairs_likest(struct near_pairs *near, struct arena *arena,
                                          uint32_t max, uint32_t *ret_count, bool *ret_is_cut)
{
    struct choice choice = choose_likest(near, max);
    struct near_pair *pairs =
        arena_alloc_raw(arena, ((size_t)choice.total + 1) * sizeof(struct near_pair));
    uint32_t count = 0;
    *ret_is_cut = choice.agree > 0;
    for (uint32_t i = 0; i < near->count; i++)
        count += put_pairs(near, i, &choice, pairs + count);
    assert(count == choice.total);
    *ret_count = count;
    return pairs;
}

const struct near_pair *near_pairs_found(struct near_pairs *near, struct arena *arena,
                                         uint32_t *ret_count)
{
    bool is_cut;
    return near_pairs_likest(near, arena, UINT32_MAX, ret_count, &is_cut);
}

const struct minhash *near_pairs_minhashes(const struct near_pairs *near)
{
    return near->minhashes;
}

const uint32_t *near_pairs_new(const struct near_pairs *near, uint32_t *ret_count)
{
    *ret_count = near->new_count;
    return near->new_texts;
}
