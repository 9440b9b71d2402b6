/*
 * Composition: the one place that knows all layers. Lower layers know no name of a higher one; what
 * they need from above is registered here, at the start of every process.
 */
#pragma once

/* Registers job kinds, schedules, retention, SQLSTATEs and value checks and
 * subscribers of the change feed. Once, before any thread.
 */
void compose(void);
