/* What the factory lets into its collections, whoever writes: values that PostgreSQL cannot judge.
 */
#pragma once

/* Before the threads start. */
void factory_guard_items(void);
