/*
 * `spark worker`: the job face as a process.
 */
#pragma once

/* Runs until SIGTERM or SIGINT, drains, and ends; the exit code of the process. 3: the lease was
 * lost, and a new incarnation should be started. */
int worker_main(int argc, char **argv);
