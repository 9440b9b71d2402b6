/*
 * Places and dates as template variables. Pure.
 *
 * A location gives only the names it has a value for, so that a default in the template serves the
 * others. Names: city, county, state (and location_… of each), state_code, state_abbr, zip_focus,
 * zip, zip_code, neighborhood, population, landmark (several: one of them is chosen).
 * A date gives year, current_year, next_year, last_year, month.
 */
#pragma once

#include "factory/spin/spin.h"

struct geo_location {
    Str city;
    Str county;
    Str state;
    Str state_code; /* locations_states.code; if empty, a two-letter `state` serves */
    Str zip_focus;
    Str neighborhood;
    int64_t population; /* 0: unknown */
    const Str *landmarks;
    uint32_t landmark_count;
};

/* A layer over `below`. Keeps views of the location's texts. */
struct spin_vars *geo_vars(struct arena *arena, const struct geo_location *location,
                           const struct spin_vars *below);

/* A layer over `below` for the day an article is published, not for today. */
struct spin_vars *geo_date_vars(struct arena *arena, int64_t publish_wall_us,
                                const struct spin_vars *below);

/* Whether the template names, without a default, something that places have and this one lacks. */
bool geo_lacks(const struct geo_location *location, const struct spin *spin);

/* Whether `name` (any case) is one that a location can give. */
bool geo_is_name(Str name);
