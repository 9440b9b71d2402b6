/*
 * `spark worker`: the job front end as a process.
 */
#pragma once

/* Runs until SIGTERM or SIGINT, drains, and returns the exit code of the process. A worker whose
 * lease was lost cancels its jobs and starts again under another name. */
int worker_main(int argc, char **argv);
