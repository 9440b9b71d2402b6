#include "content/filter/field_type.h"

#include "base/memory/array.h"

#include <assert.h>

/* A timestamp accepts the operators that Directus accepts, which are more than those of a
 * dateTime. */
static const struct {
    const char *name;
    enum field_group group;
} TYPES[] = {
    [FIELD_STRING] = {"string", GROUP_STRING},
    [FIELD_TEXT] = {"text", GROUP_STRING},
    [FIELD_BOOLEAN] = {"boolean", GROUP_BOOLEAN},
    [FIELD_INTEGER] = {"integer", GROUP_NUMBER},
    [FIELD_BIG_INTEGER] = {"bigInteger", GROUP_NUMBER},
    [FIELD_FLOAT] = {"float", GROUP_NUMBER},
    [FIELD_DECIMAL] = {"decimal", GROUP_NUMBER},
    [FIELD_DATE] = {"date", GROUP_MOMENT},
    [FIELD_DATE_TIME] = {"dateTime", GROUP_MOMENT},
    [FIELD_TIME] = {"time", GROUP_MOMENT},
    [FIELD_TIMESTAMP] = {"timestamp", GROUP_OTHER},
    [FIELD_JSON] = {"json", GROUP_JSON},
    [FIELD_CSV] = {"csv", GROUP_STRING},
    [FIELD_UUID] = {"uuid", GROUP_UUID},
    [FIELD_HASH] = {"hash", GROUP_HASH},
    [FIELD_BINARY] = {"binary", GROUP_STRING},
    [FIELD_ALIAS] = {"alias", GROUP_OTHER},
    [FIELD_UNKNOWN] = {"unknown", GROUP_OTHER},
};

const char *field_type_name(enum field_type type)
{
    assert((size_t)type < COUNT_OF(TYPES));
    return TYPES[type].name;
}

enum field_group field_group_of(enum field_type type)
{
    assert((size_t)type < COUNT_OF(TYPES));
    return TYPES[type].group;
}
