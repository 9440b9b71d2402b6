#include "base/memory/array.h"
#include "base/system/clock.h"
#include "factory/library/library.h"

#include <assert.h>

enum geo_field { GEO_TEXT, GEO_STATE_CODE, GEO_POPULATION, GEO_LANDMARK };

struct geo_name {
    Str name;
    enum geo_field field;
    size_t offset; /* GEO_TEXT: offset of the Str in struct geo_location */
};

#define TEXT_NAME(name, member)                                                                    \
    {                                                                                              \
        STR_INIT(name), GEO_TEXT, offsetof(struct geo_location, member)                            \
    }
static const struct geo_name NAMES[] = {
    TEXT_NAME("city", city),
    TEXT_NAME("location_city", city),
    TEXT_NAME("county", county),
    TEXT_NAME("location_county", county),
    TEXT_NAME("state", state),
    TEXT_NAME("location_state", state),
    TEXT_NAME("zip_focus", zip_focus),
    TEXT_NAME("zip", zip_focus),
    TEXT_NAME("zip_code", zip_focus),
    TEXT_NAME("neighborhood", neighborhood),
    {STR_INIT("state_code"), GEO_STATE_CODE, 0},
    {STR_INIT("state_abbr"), GEO_STATE_CODE, 0},
    {STR_INIT("population"), GEO_POPULATION, 0},
    {STR_INIT("landmark"), GEO_LANDMARK, 0},
};
#undef TEXT_NAME

static const size_t NAME_COUNT = COUNT_OF(NAMES);

static Str text_field(const struct geo_location *location, const struct geo_name *name)
{
    assert(name->field == GEO_TEXT);
    return *(const Str *)((const char *)location + name->offset);
}

static Str state_code(const struct geo_location *location)
{
    if (location->state_code.len > 0)
        return location->state_code;
    Str state = location->state;
    bool is_code = state.len == 2 && state.data[0] >= 'A' && state.data[0] <= 'Z' &&
                   state.data[1] >= 'A' && state.data[1] <= 'Z';
    return is_code ? state : STR_NONE;
}

static bool has_field(const struct geo_location *location, const struct geo_name *name)
{
    switch (name->field) {
    case GEO_TEXT:
        return text_field(location, name).len > 0;
    case GEO_STATE_CODE:
        return state_code(location).len > 0;
    case GEO_POPULATION:
        return location->population > 0;
    case GEO_LANDMARK:
        return location->landmark_count > 0;
    }
    return false;
}

struct spin_vars *geo_vars(struct arena *arena, const struct geo_location *location,
                           const struct spin_vars *below)
{
    assert(location != NULL);
    struct spin_vars *vars = spin_vars_make(arena, below);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const struct geo_name *name = &NAMES[i];
        if (!has_field(location, name))
            continue;
        if (name->field == GEO_LANDMARK)
            spin_vars_set_terms(vars, name->name, location->landmarks, location->landmark_count);
        else if (name->field == GEO_POPULATION)
            spin_vars_set(vars, name->name,
                          str_printf(arena, "%jd", (intmax_t)location->population));
        else
            spin_vars_set(vars, name->name,
                          name->field == GEO_TEXT ? text_field(location, name)
                                                  : state_code(location));
    }
    return vars;
}

struct spin_vars *geo_date_vars(struct arena *arena, int64_t publish_wall_us,
                                const struct spin_vars *below)
{
    static const Str MONTHS[] = {
        STR_INIT("January"),   STR_INIT("February"), STR_INIT("March"),    STR_INIT("April"),
        STR_INIT("May"),       STR_INIT("June"),     STR_INIT("July"),     STR_INIT("August"),
        STR_INIT("September"), STR_INIT("October"),  STR_INIT("November"), STR_INIT("December"),
    };
    Str iso = clock_iso(arena, publish_wall_us);
    int64_t year = 0;
    int64_t month = 0;
    bool is_date =
        str_to_i64(str_slice(iso, 0, 4), &year) && str_to_i64(str_slice(iso, 5, 7), &month);
    assert(is_date && month >= 1 && month <= 12);

    struct spin_vars *vars = spin_vars_make(arena, below);
    Str this_year = str_slice(iso, 0, 4);
    spin_vars_set(vars, STR("year"), this_year);
    spin_vars_set(vars, STR("current_year"), this_year);
    spin_vars_set(vars, STR("next_year"), str_printf(arena, "%jd", (intmax_t)(year + 1)));
    spin_vars_set(vars, STR("last_year"), str_printf(arena, "%jd", (intmax_t)(year - 1)));
    spin_vars_set(vars, STR("month"), MONTHS[month - 1]);
    return vars;
}

static const struct geo_name *find_name(Str name)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (str_eq_nocase(NAMES[i].name, name))
            return &NAMES[i];
    return NULL;
}

bool geo_is_name(Str name)
{
    return find_name(name) != NULL;
}

bool geo_lacks(const struct geo_location *location, const struct spin *spin)
{
    const struct spin_name *names;
    uint32_t count = spin_names(spin, &names);
    for (uint32_t i = 0; i < count; i++) {
        const struct geo_name *name = find_name(names[i].name);
        if (names[i].is_required && name != NULL && !has_field(location, name))
            return true;
    }
    return false;
}
