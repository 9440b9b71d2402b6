/* Value checks for the factory's collections: rules that PostgreSQL cannot check. */
#pragma once

/* Call before the threads start. */
void factory_guard_items(void);
