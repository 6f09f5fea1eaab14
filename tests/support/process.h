/* SPDX-License-Identifier: MIT */
#pragma once

/* A program under test, or a server it needs. Its output goes to files in the temporary directory,
 * so that it never blocks on a test that does not read. It is killed when it is freed, when the
 * test program exits, and by the kernel when the test program dies in any other way. Start
 * processes from the main thread: the kernel ties them to the thread that did.
 *
 * Functions that wait take milliseconds and report running out of time by their return value, after
 * printing what the process wrote to its standard error. */

#include "tests/support/temp-dir.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct Process Process;

typedef enum ProcessStream {
        PROCESS_STDOUT,
        PROCESS_STDERR,
} ProcessStream;

typedef struct ProcessOptions {
        const char *const *environment; /* "NAME=value" or "NAME" to unset; NULL-terminated */
        const char *input;              /* what standard input yields; NULL: nothing */
} ProcessOptions;

/* Absolute paths of a file of the source tree, and of a program of this project in build/bin; the
 * caller frees them. */
char *process_source_path(const char *name);
char *process_program_path(const char *name);

/* Starts argv[0], searched in PATH and /usr/sbin, in the directory of the test. The files of its
 * output are named after `name`. Options may be NULL. The directory is borrowed and must outlive
 * the process. Fails the test if the program does not exist. */
Process *process_start(TempDir *dir, const char *name, const char *const *argv,
                       const ProcessOptions *options);
/* Kills it if it still runs. Accepts NULL, returns NULL. */
Process *process_free(Process *process);
DEFINE_CLEANUP(Process *, process_free, cleanup_process)
#define CLEANUP_PROCESS CLEANUP(cleanup_process)

/* Starts a program, waits for its end, and returns its exit status as process_wait_exit(). The
 * outputs may be NULL; the caller frees them. */
int process_run(TempDir *dir, const char *const *argv, const ProcessOptions *options, unsigned msec,
                char **ret_stdout, char **ret_stderr);

pid_t process_get_pid(const Process *process);
bool process_is_running(Process *process);

/* Exit status 0 … 255, or 128 + the signal that ended it; -1 if it still runs after `msec`. */
int process_wait_exit(Process *process, unsigned msec);
void process_signal(Process *process, int signal);
/* SIGTERM, and the exit status; if that does not help within WAIT_MSEC, SIGKILL and -1. */
int process_stop(Process *process);
/* SIGKILL, and waits for the end. */
void process_kill(Process *process);

/* All it has written so far; the caller frees it. */
char *process_dup_output(const Process *process, ProcessStream stream);
/* Waits until the output has `text` (after the mark). False if it ends without, or time is up. */
bool process_wait_output(Process *process, ProcessStream stream, const char *text, unsigned msec);
/* From now on process_wait_output() looks only at what is written after this. */
void process_mark_output(Process *process, ProcessStream stream);
/* Waits until the predicate holds. False if the process ends before, or time is up. */
bool process_wait_ready(Process *process, bool (*predicate)(void *userdata), void *userdata,
                        unsigned msec);
