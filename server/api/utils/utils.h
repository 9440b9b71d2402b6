#pragma once

/* The most bytes of "length". */
enum { UTILS_TEXT_MAX = 20 };
