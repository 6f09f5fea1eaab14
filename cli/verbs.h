/* SPDX-License-Identifier: MIT */
#pragma once

/* The verbs of mqttrpc: one const table, one file for each verb or group of verbs. */

#include "cli/settings.h"

enum { VERB_OPERANDS = 4 };

typedef struct Verb {
        const char *name;
        const char *operands[VERB_OPERANDS + 1]; /* what must be given; NULL-terminated */
        const char *more;                        /* what may follow, for the help; or NULL */
        size_t maximum;                          /* of operands; 0: no limit but that of `more` */
        const char *completion;                  /* what operands are: one letter of complete.c for
                                                    each; '+': as the one before, from there on */
        bool hidden;                             /* not in the list of verbs */
        const char *summary;                     /* one line */
        const char *help;                        /* lines, each with its '\n' */
        OptionList options;                      /* beside those of all verbs */
        /* Runs it and returns the ExitStatus. There are at least as many operands as must be
         * given, and no more if nothing may follow. */
        int (*run)(const Settings *settings, const char *const *operands, size_t count);
} Verb;

extern const Verb verbs[];
extern const size_t n_verbs;

/* NULL with an error, which suggests a verb that is near. */
const Verb *verb_find(const char *name, Error **error);

/* Checks the number of operands. */
int verb_check_operands(const Verb *verb, const char *const *operands, size_t count, Error **error);

int cmd_call(const Settings *settings, const char *const *operands, size_t count);
int cmd_notify(const Settings *settings, const char *const *operands, size_t count);
int cmd_ping(const Settings *settings, const char *const *operands, size_t count);
int cmd_list(const Settings *settings, const char *const *operands, size_t count);
int cmd_tree(const Settings *settings, const char *const *operands, size_t count);
int cmd_introspect(const Settings *settings, const char *const *operands, size_t count);
int cmd_get(const Settings *settings, const char *const *operands, size_t count);
int cmd_set(const Settings *settings, const char *const *operands, size_t count);
int cmd_monitor(const Settings *settings, const char *const *operands, size_t count);
int cmd_wait(const Settings *settings, const char *const *operands, size_t count);
int cmd_stats(const Settings *settings, const char *const *operands, size_t count);
int cmd_discover(const Settings *settings, const char *const *operands, size_t count);
int cmd_complete(const Settings *settings, const char *const *operands, size_t count);
