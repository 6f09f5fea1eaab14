/* SPDX-License-Identifier: MIT */

#include "cli/help.h"

enum { OPTION_COLUMN = 26 };

static void write_usage(Buffer *buffer, const Verb *verb)
{
        buffer_printf(buffer, "mqttrpc [OPTION...] %s", verb->name);
        for (size_t i = 0; verb->operands[i]; i++)
                buffer_printf(buffer, " %s", verb->operands[i]);
        buffer_printf(buffer, "%s%s\n", verb->more ? " " : "", verb->more ? verb->more : "");
}

static void write_options(Buffer *buffer, const OptionList *list)
{
        for (size_t i = 0; i < list->count; i++) {
                const Option *option = &list->options[i];
                size_t start = buffer->length, width;

                if (option->letter)
                        buffer_printf(buffer, "  -%c, --%s", option->letter, option->name);
                else
                        buffer_printf(buffer, "      --%s", option->name);
                if (option->value)
                        buffer_printf(buffer, " %s", option->value);
                width = buffer->length - start;
                buffer_printf(buffer, "%*s  %s\n",
                              width < OPTION_COLUMN ? (int)(OPTION_COLUMN - width) : 0, "",
                              option->help);
        }
}

static void write_verbs(Buffer *buffer)
{
        buffer_append_text(buffer,
                           "Look at an MQTT RPC bus, and call methods of services.\n\nVerbs:\n");
        for (size_t i = 0; i < n_verbs; i++)
                if (!verbs[i].hidden)
                        buffer_printf(buffer, "  %-12s%s\n", verbs[i].name, verbs[i].summary);
}

int help_write(Buffer *buffer, const Verb *verb)
{
        buffer_append_text(buffer, "Usage: ");
        if (verb) {
                write_usage(buffer, verb);
                buffer_printf(buffer, "\n%s", verb->help);
        } else {
                for (size_t i = 0; i < n_verbs; i++) {
                        if (verbs[i].hidden)
                                continue;
                        buffer_append_text(buffer, i > 0 ? "       " : "");
                        write_usage(buffer, &verbs[i]);
                }
                buffer_append_char(buffer, '\n');
                write_verbs(buffer);
        }
        if (verb && verb->options.count > 0) {
                buffer_printf(buffer, "\nOptions of %s:\n", verb->name);
                write_options(buffer, &verb->options);
        }
        buffer_append_text(buffer, verb ? "\nOptions of all verbs:\n" : "\nOptions:\n");
        write_options(buffer, &settings_options);
        buffer_append_text(
                buffer,
                "\nThe broker is " DEFAULT_BROKER " unless --broker or\n"
                "MQTTRPC_BROKER names another. See mqttrpc(1) for the environment, files and\n"
                "the exit status.\n");
        return buffer_status(buffer);
}
