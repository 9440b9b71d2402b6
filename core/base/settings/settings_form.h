/*
 * The form of a text in settings.def, and masking of its password. Only the form is checked here:
 * the module that uses the value parses it.
 */
#pragma once

#include "base/text/str.h"

enum setting_form {
    FORM_ANY,
    FORM_POSTGRES,
    FORM_POOLER,
    FORM_REDIS,
    FORM_HTTP,
    FORM_SMTP,
    FORM_COOKIE_NAME,
    FORM_COOKIE_DOMAIN,
    FORM_SAME_SITE,
};

/* Empty texts are valid where the setting may be unset. */
bool setting_form_fits(enum setting_form form, Str text);
/* The expected form, for the message "NAME is '…'; it must be …". */
const char *setting_form_words(enum setting_form form);

/* The text without the password of scheme://user:password@host or password=…. Masks rather too much
 * than too little: everything up to the last @. Allocates from the arena. */
Str setting_mask(struct arena *arena, Str text);
