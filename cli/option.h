/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading a command line by const tables of options. An option is written into a field of the
 * target struct, at its offset, by its parse function. Long and short forms, "--name=value",
 * "-n value", "-nvalue" and bundles of flags are understood; "--" ends the options; "-" and what
 * begins with '-' and a digit (a negative number) are operands. Pure: texts are borrowed from argv
 * and the environment. */

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* `text` is NULL for flags. The error says what is wrong with the text, not which option it is. */
typedef int (*OptionParse)(const char *text, void *field, Error **error);

typedef struct Option {
        const char *name;     /* without the dashes */
        char letter;          /* 0: there is no short form */
        const char *value;    /* what follows it, for the help; NULL: a flag */
        const char *variable; /* environment variable that sets it, or NULL */
        OptionParse parse;
        size_t offset; /* of the field */
        const char *help;
} Option;

typedef struct OptionList {
        const Option *options;
        size_t count;
} OptionList;

typedef struct CommandLine {
        const char *const *argv;
        size_t argc;
        size_t next; /* the argument to read next */
        bool ended;  /* "--" has been read */
} CommandLine;

/* Reads arguments up to the next operand and moves past it. Returns 1 and the operand, 0 at the end
 * of the command line, or -EINVAL. `target` is what offsets refer to. */
int option_read(CommandLine *line, const OptionList *lists, size_t n_lists, void *target,
                const char **ret_operand, Error **error);

/* Sets the options that have a variable which is in the environment and not empty. */
int option_read_environment(const OptionList *list, void *target, Error **error);

/* Fields: bool, const char *. */
int option_parse_flag(const char *text, void *field, Error **error);
int option_parse_text(const char *text, void *field, Error **error);
