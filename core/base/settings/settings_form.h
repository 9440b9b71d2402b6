/*
 * What a text of settings.def may look like, and how it is shown without its password. Only the
 * shape is judged here: the module that uses the value parses it.
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
};

/* Empty texts fit: they mean that nothing is set. */
bool setting_form_fits(enum setting_form form, Str text);
/* What must be there, for the sentence "NAME is '…'; it must be …". */
const char *setting_form_words(enum setting_form form);

/* The text without the password of scheme://user:password@host or password=…. Rather too much is
 * hidden than too little: everything up to the last @. Memory from the arena. */
Str setting_mask(struct arena *arena, Str text);
