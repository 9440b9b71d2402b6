#include "content/system/system.h"

#include "base/memory/array.h"
#include "content/system/system_rules.h"

#include <assert.h>

enum { RULES_MAX = 32 };

static const struct collection_rules *const SUBJECTS[] = {
    &COMMENTS_RULES, &NOTIFICATIONS_RULES, &POLICIES_RULES, &PRESETS_RULES,
    &SHARES_RULES,   &TRANSLATIONS_RULES,  &USERS_RULES,    &VERSIONS_RULES,
};

static struct collection_rules list[RULES_MAX];

void system_set_rules(void)
{
    static_assert(COUNT_OF(SUBJECTS) <= RULES_MAX, "more subjects than places");
    for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++)
        list[i] = *SUBJECTS[i];
    items_set_rules(list, COUNT_OF(SUBJECTS));
}
