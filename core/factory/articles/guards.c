#include "factory/articles/guards.h"

#include "base/memory/array.h"
#include "content/items/items.h"
#include "factory/library/library.h"
#include "factory/svg/svg.h"

static const struct items_guard GUARDS[] = {
    {STR_INIT("forms"), STR_INIT("fields"), form_patterns_check},
    {STR_INIT("image_templates"), STR_INIT("svg_source"), svg_check},
    {STR_INIT("generated_articles"), STR_INIT("featured_image_svg"), svg_check},
};

void factory_guard_items(void)
{
    items_set_guards(GUARDS, COUNT_OF(GUARDS));
}
