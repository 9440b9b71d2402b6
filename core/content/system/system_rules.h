/* The rules of each subject, which system.c lists. Private to this module. */
#pragma once

#include "content/items/items_rules.h"

extern const struct collection_rules POLICIES_RULES;
extern const struct collection_rules USERS_RULES;
