/*
 * Shared by routes of the factory: the avatar that a body selects (GROUP(avatar) of routes.def).
 */
#pragma once

#include "factory/library/library.h"

#define AVATAR_CHOICE(input)                                                                       \
    ((struct avatar_choice){.id = (input)->avatar_id,                                              \
                            .key = (input)->avatar_key,                                            \
                            .variant_type = (input)->variant_type})
