/* SPDX-License-Identifier: MIT */

#include "cli/option.h"

#include <errno.h>
#include <string.h>

#include "common/suggest.h"

typedef struct Reader {
        CommandLine *line;
        const OptionList *lists;
        size_t n_lists;
        void *target;
} Reader;

/* ---- parse functions ---- */

int option_parse_flag(const char *text, void *field, Error **error)
{
        *(bool *)field = true;
        return 0;
}

int option_parse_text(const char *text, void *field, Error **error)
{
        if (*text == '\0')
                return error_set(error, -EINVAL, "the value is empty");
        *(const char **)field = text;
        return 0;
}

/* ---- finding ---- */

static const Option *find_letter(const Reader *reader, char letter)
{
        for (size_t l = 0; l < reader->n_lists; l++)
                for (size_t i = 0; i < reader->lists[l].count; i++)
                        if (reader->lists[l].options[i].letter == letter)
                                return &reader->lists[l].options[i];
        return NULL;
}

static const Option *find_name(const Reader *reader, const char *name, size_t length)
{
        for (size_t l = 0; l < reader->n_lists; l++)
                for (size_t i = 0; i < reader->lists[l].count; i++) {
                        const Option *option = &reader->lists[l].options[i];

                        if (!strncmp(option->name, name, length) && option->name[length] == '\0')
                                return option;
                }
        return NULL;
}

/* For suggest(): the names of all lists, one after the other. */
static const char *next_name(size_t index, const void *userdata)
{
        const Reader *reader = userdata;

        for (size_t l = 0; l < reader->n_lists; l++) {
                if (index < reader->lists[l].count)
                        return reader->lists[l].options[index].name;
                index -= reader->lists[l].count;
        }
        return NULL;
}

static int unknown_name(const Reader *reader, const char *name, size_t length, Error **error)
{
        CLEANUP_FREE char *word = strndup(name, length);
        const char *near = word ? suggest(word, next_name, reader) : NULL;

        if (near)
                return error_set(error, -EINVAL, "unknown option '--%s'; did you mean '--%s'?",
                                 word, near);
        return error_set(error, -EINVAL, "unknown option '--%.*s'", (int)length, name);
}

/* ---- reading ---- */

static int apply(const Reader *reader, const Option *option, const char *text, Error **error)
{
        Error *reason = NULL;
        int r;

        r = option->parse(text, (char *)reader->target + option->offset, &reason);
        if (r < 0) {
                error_set(error, r, "--%s: %s", option->name, error_text(reason));
                error_free(reason);
        }
        return r;
}

/* The value that stands in the argument after the option. */
static int take_value(const Reader *reader, const Option *option, const char **ret_value,
                      Error **error)
{
        CommandLine *line = reader->line;

        if (line->next >= line->argc)
                return error_set(error, -EINVAL, "--%s needs a value: --%s %s", option->name,
                                 option->name, option->value);
        *ret_value = line->argv[line->next++];
        return 0;
}

static int read_long(const Reader *reader, const char *text, Error **error)
{
        size_t length = strcspn(text, "=");
        const char *value = text[length] == '=' ? text + length + 1 : NULL;
        const Option *option = find_name(reader, text, length);
        int r;

        if (!option)
                return unknown_name(reader, text, length, error);
        if (!option->value && value)
                return error_set(error, -EINVAL, "--%s takes no value", option->name);
        if (option->value && !value) {
                r = take_value(reader, option, &value, error);
                if (r < 0)
                        return r;
        }
        return apply(reader, option, value, error);
}

/* One letter, or several flags, the last of which may have a value. */
static int read_letters(const Reader *reader, const char *text, Error **error)
{
        int r = 0;

        for (; r >= 0 && *text; text++) {
                const Option *option = find_letter(reader, *text);
                const char *value = text + 1;

                if (!option)
                        return error_set(error, -EINVAL, "unknown option '-%c'", *text);
                if (!option->value) {
                        r = apply(reader, option, NULL, error);
                        continue;
                }
                r = *value ? 0 : take_value(reader, option, &value, error);
                return r < 0 ? r : apply(reader, option, value, error);
        }
        return r;
}

static bool is_operand(const char *text)
{
        return text[0] != '-' || text[1] == '\0' || (text[1] >= '0' && text[1] <= '9');
}

int option_read(CommandLine *line, const OptionList *lists, size_t n_lists, void *target,
                const char **ret_operand, Error **error)
{
        const Reader reader = {line, lists, n_lists, target};
        int r = 0;

        while (r >= 0 && line->next < line->argc) {
                const char *text = line->argv[line->next++];

                if (line->ended || is_operand(text)) {
                        *ret_operand = text;
                        return 1;
                }
                if (!strcmp(text, "--"))
                        line->ended = true;
                else if (text[1] == '-')
                        r = read_long(&reader, text + 2, error);
                else
                        r = read_letters(&reader, text + 1, error);
        }
        return r;
}

int option_read_environment(const OptionList *list, void *target, Error **error)
{
        for (size_t i = 0; i < list->count; i++) {
                const Option *option = &list->options[i];
                const char *text = option->variable ? getenv(option->variable) : NULL;
                Error *reason = NULL;
                int r;

                if (!text || *text == '\0')
                        continue;
                r = option->parse(text, (char *)target + option->offset, &reason);
                if (r < 0) {
                        error_set(error, r, "%s in the environment: %s", option->variable,
                                  error_text(reason));
                        error_free(reason);
                        return r;
                }
        }
        return 0;
}
