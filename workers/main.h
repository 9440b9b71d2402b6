/*
 * `spark worker`: the job front end as a process.
 */
#pragma once

/* Runs until SIGTERM or SIGINT, drains, and ends; the exit code of the process. A worker whose
 * lease was lost drops what it runs and begins again under another name. */
int worker_main(int argc, char **argv);
