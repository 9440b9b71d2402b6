/*
 * Rules of Directus' own collections: what a write of a user, a policy, a comment or a version
 * demands beyond columns, grants and validation. One file per subject declares its rules; system.c
 * lists them.
 */
#pragma once

/* Registers the rules with content/items. Call before the threads start. */
void system_set_rules(void);
