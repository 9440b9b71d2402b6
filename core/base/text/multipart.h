/*
 * The parts of a multipart/form-data body that is in memory. Pure, without limits of its own: the
 * body has one.
 */
#pragma once

#include "base/text/str.h"

struct multipart {
    Str rest;
    Str boundary;
};

struct multipart_part {
    Str name;
    Str file_name;    /* STR_NONE: a plain field */
    Str content_type; /* as sent; may be empty */
    Str body;
};

/* False: the content type is not multipart/form-data with a boundary of 1 to 70 characters. */
bool multipart_begin(Str content_type, Str body, struct multipart *ret);
/* False: there is none, or what follows is no part. */
bool multipart_next(struct multipart *m, struct multipart_part *ret);
