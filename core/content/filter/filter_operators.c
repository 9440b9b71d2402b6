#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "content/filter/filter.h"

#include <assert.h>

/* operators.def undefines its group macros at its end, so the rows are expanded here. */
static const struct filter_operator OPERATORS[] = {
#define OPERATOR(id, name, fault, meaning, negated, folded, groups, detail, rules, sentence, note) \
    [OPERATOR_##id] = {STR_INIT(name), fault,  MEANS_##meaning, negated,  folded,                  \
                       groups,         detail, rules,           sentence, note},
#include "content/filter/operators.def"
#undef OPERATOR
};
_Static_assert(COUNT_OF(OPERATORS) == OPERATOR_COUNT);

const struct filter_operator *filter_operator(enum filter_operator_id id)
{
    assert((size_t)id < COUNT_OF(OPERATORS));
    return &OPERATORS[id];
}

const struct filter_operator *filter_operator_find(Str name)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        if (str_eq(name, OPERATORS[i].name))
            return &OPERATORS[i];
    return NULL;
}

Err filter_operator_check(struct ctx *ctx, const struct filter_operator *op, Str name,
                          enum field_type type, enum field_group group, enum function function)
{
    bool is_call = function != FUNCTION_NONE;
    unsigned wanted = is_call ? GROUP_NUMBER : group;
    if (op != NULL && (op->groups & wanted) != 0)
        return OK;
    return fail(ctx, ERR_INVALID_QUERY,
                "\"%s\" field type does not contain the \"%.*s\" filter operator",
                is_call ? "integer" : field_type_name(type), STR_FMT(name));
}
