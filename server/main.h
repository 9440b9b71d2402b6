/*
 * `spark server`: the HTTP front end as a process.
 */
#pragma once

/* Runs until SIGTERM or SIGINT; the exit code of the process. */
int server_main(int argc, char **argv);
