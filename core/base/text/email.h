/*
 * E-mail addresses of accounts: the form that Directus demands of them. Forms of visitors ask for
 * less (visitors/forms).
 */
#pragma once

#include "base/text/str.h"

enum { EMAIL_MAX = 254, EMAIL_LOCAL_MAX = 64, EMAIL_LABEL_MAX = 63 };

/* A local part without quotes, and a domain of at least two labels; letters beyond ASCII count. */
bool email_is_valid(Str email);
