/*
 * Chooses the lane of a read.
 *
 * A pattern is compared with every row that the other conditions leave, usually without an index:
 * row-level security prevents index use unless the operator's functions are LEAKPROOF, and the
 * schema snapshot does not contain indexes (docs/decisions/0012-row-security-and-indexes.md). On a
 * large site that takes seconds. So patterns and searches use the slow lane, where they delay only
 * each other, unless the query selects a few rows by key.
 */
#include "content/plan/compile.h"

#include <assert.h>

static bool holds_pattern(const struct pred *pred)
{
    assert(pred != NULL);
    switch (pred->kind) {
    case PRED_LIKE:
        return true;
    case PRED_EXISTS:
    case PRED_SHARED:
        return holds_pattern(pred->first);
    case PRED_AND:
    case PRED_OR:
    case PRED_NOT:
        for (const struct pred *member = pred->first; member != NULL; member = member->next)
            if (holds_pattern(member))
                return true;
        return false;
    case PRED_TRUE:
    case PRED_FALSE:
    case PRED_COMPARE:
    case PRED_ANY:
    case PRED_KEYS:
    case PRED_BETWEEN:
    case PRED_NULL:
    case PRED_EMPTY:
    case PRED_LIBRARY:
    case PRED_SITE:
    case PRED_SITE_OR_LIBRARY:
    case PRED_CHILD_OF:
    case PRED_SAME_SITE:
    case PRED_ONE_SITE:
    case PRED_OF_PARENT:
        break;
    }
    return false;
}

static bool names_keys(const struct source *root, const struct pred *pred)
{
    assert(pred != NULL);
    if (pred->kind == PRED_AND) {
        for (const struct pred *member = pred->first; member != NULL; member = member->next)
            if (names_keys(root, member))
                return true;
        return false;
    }
    if (pred->kind == PRED_SHARED)
        return names_keys(root, pred->first);
    bool is_equality =
        pred->kind == PRED_KEYS || (pred->kind == PRED_ANY && !pred->is_negated) ||
        (pred->kind == PRED_COMPARE && str_eq(str_from_z(pred->operation), STR("=")));
    return is_equality && pred->operand.source == root &&
           pred->operand.field == root->collection->key && pred->operand.function == FUNCTION_NONE;
}

enum db_lane lane_of_rows(const struct source *root, const struct pred *where,
                          const struct pred *search)
{
    assert(root != NULL);
    if (where == NULL || names_keys(root, where))
        return DB_READ;
    /* A search for a number compares without a pattern, but over as many columns. */
    bool is_search = search != NULL && search->kind != PRED_FALSE;
    return is_search || holds_pattern(where) ? DB_SLOW : DB_READ;
}
