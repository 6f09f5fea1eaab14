/* SPDX-License-Identifier: MIT */
#pragma once

/* Log lines of the daemons, on standard error. Under systemd (JOURNAL_STREAM is set) each line
 * starts with the syslog priority "<N>" so that the journal files it right; elsewhere with the
 * level's name. common/, the codec and the library never call this: they return errors. */

typedef enum LogLevel {
        LOG_LEVEL_ERROR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6,
        LOG_LEVEL_DEBUG = 7,
} LogLevel;

/* Lines above `level` are dropped; the default is LOG_LEVEL_INFO. */
void log_set_level(LogLevel level);
LogLevel log_get_level(void);

/* "error" … "debug" to a level; -EINVAL for any other word. */
int log_level_parse(const char *name, LogLevel *ret_level);

void log_write(LogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
