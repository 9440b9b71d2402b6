#pragma once

/* The most characters of directus_users.last_page. */
enum { USER_LAST_PAGE_MAX = 255 };
