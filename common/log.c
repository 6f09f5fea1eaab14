/* SPDX-License-Identifier: MIT */

#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static LogLevel log_max_level = LOG_LEVEL_INFO;

static const struct {
        LogLevel level;
        const char *name;
} log_levels[] = {
        {LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARNING, "warning"}, {LOG_LEVEL_NOTICE, "notice"},
        {LOG_LEVEL_INFO, "info"},   {LOG_LEVEL_DEBUG, "debug"},
};

void log_set_level(LogLevel level)
{
        log_max_level = level;
}

LogLevel log_get_level(void)
{
        return log_max_level;
}

int log_level_parse(const char *name, LogLevel *ret_level)
{
        for (size_t i = 0; i < ARRAY_SIZE(log_levels); i++)
                if (!strcmp(log_levels[i].name, name)) {
                        *ret_level = log_levels[i].level;
                        return 0;
                }
        return -EINVAL;
}

static const char *level_name(LogLevel level)
{
        for (size_t i = 0; i < ARRAY_SIZE(log_levels); i++)
                if (log_levels[i].level == level)
                        return log_levels[i].name;
        return "?";
}

void log_write(LogLevel level, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        if (level > log_max_level)
                return;
        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        /* Text from peers must not be able to forge a line of its own. */
        for (char *c = text; c && *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        *c = ' ';
        if (getenv("JOURNAL_STREAM"))
                fprintf(stderr, "<%d>%s\n", (int)level, text ? text : format);
        else
                fprintf(stderr, "%s: %s\n", level_name(level), text ? text : format);
}
