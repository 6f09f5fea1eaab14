/* SPDX-License-Identifier: MIT */

#include "gateway/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int cmd_usage_error(const char *verb, const char *format, ...)
{
        va_list arguments;

        fprintf(stderr, "dbus-mqtt-gateway %s: ", verb);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fprintf(stderr, "\nTry 'dbus-mqtt-gateway %s --help'.\n", verb);
        return EXIT_USAGE;
}

static int load_file(const char *path, MappingSet *set, Diagnostics *diagnostics)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;

        if (mapping_load(path, diagnostics, &service) >= 0 &&
            mapping_set_add(set, service, diagnostics) >= 0)
                service = NULL;
        return 1;
}

int cmd_load_mappings(char *const *paths, int n_paths, MappingSet *set, Diagnostics *diagnostics)
{
        int n_files = 0, r;

        for (int i = 0; i < n_paths; i++) {
                unsigned n_before = HASH_COUNT(set->services);
                const char *folder = paths[i];
                struct stat status;

                if (stat(paths[i], &status) < 0 || !S_ISDIR(status.st_mode)) {
                        n_files += load_file(paths[i], set, diagnostics);
                        continue;
                }
                r = mapping_set_load_folders(set, &folder, 1, diagnostics);
                if (r < 0)
                        return r;
                n_files += r + (int)(HASH_COUNT(set->services) - n_before);
        }
        return n_files;
}

int cmd_write(const char *path, const char *text, size_t length, Error **ret_error)
{
        FILE *file = path ? fopen(path, "we") : stdout;
        bool failed;

        if (!file)
                return error_set_errno(ret_error, -errno, "cannot write %s", path);
        failed = fwrite(text, 1, length, file) != length || fflush(file) != 0;
        if (path && fclose(file) != 0)
                failed = true;
        if (failed)
                return error_set_errno(ret_error, errno > 0 ? -errno : -EIO, "cannot write %s",
                                       path ? path : "to standard output");
        return 0;
}
