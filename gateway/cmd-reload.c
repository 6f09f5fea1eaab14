/* SPDX-License-Identifier: MIT */

/* `dbus-mqtt-gateway reload`: has a running gateway read its mapping files again. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-scan.h"
#include "gateway/cmd-ask.h"
#include "gateway/cmd.h"

static void print_help(void)
{
        printf("dbus-mqtt-gateway reload - has a running gateway read its mappings again\n"
               "\n"
               "Usage: dbus-mqtt-gateway reload [OPTION...]\n"
               "\n"
               "Asks it by way of the broker, and says what came of it. Services of files that "
               "have\n"
               "not changed, or have become bad, are not disturbed. The options are those of\n"
               "'dbus-mqtt-gateway status', but --json.\n"
               "\n"
               "Exit status: 0; 1 if a file is bad, or no gateway answers; 2 for a mistake in the\n"
               "command.\n");
}

static int print_counts(const JsonDoc *doc)
{
        static const struct {
                const char *key;
                const char *text;
                bool is_bad;
        } rows[] = {
                {"added", "added", false},
                {"changed", "changed: ended, and begun anew", false},
                {"removed", "removed", false},
                {"unchanged", "unchanged", false},
                {"kept", "bad; the version that was read before stays", true},
                {"left_out", "bad, and left out", true},
        };
        int status = EXIT_SUCCESS;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP_FREE char *count = cmd_dup_member(doc, 0, rows[i].key);

                if (!count || !strcmp(count, "0"))
                        continue;
                printf("%s %s\n", count, rows[i].text);
                if (rows[i].is_bad)
                        status = EXIT_FAILURE;
        }
        return status;
}

static void print_findings(const JsonDoc *doc)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        uint32_t list = json_find(doc, 0, "findings");

        if (list == 0)
                return;
        cmd_write_findings(doc, list, &buffer);
        fputs(buffer_text(&buffer), stderr);
}

static int reload(CmdSettings *settings, int *ret_status, Error **ret_error)
{
        CLEANUP_FREE char *answer = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        r = cmd_settings_load(settings, ret_error);
        if (r >= 0)
                r = cmd_ask(&settings->config, "Reload", NULL, &answer, ret_error);
        if (r < 0)
                return r;
        r = json_scan(&doc, answer, strlen(answer), JSON_SCAN_STRICT);
        if (r < 0)
                return error_set(ret_error, r, "the answer cannot be read: %s", doc.error_reason);
        print_findings(&doc);
        *ret_status = print_counts(&doc);
        return 0;
}

int cmd_reload(int argc, char **argv)
{
        static const struct option own[] = {{"help", no_argument, NULL, 'h'}, {}};
        CLEANUP_CMD_SETTINGS CmdSettings settings = {};
        CLEANUP_ERROR Error *error = NULL;
        int option, status = EXIT_FAILURE;

        if (cmd_settings_init(&settings, CMD_SETTINGS_CLIENT, own, &error) < 0)
                return cmd_usage_error("reload", "%s", error_text(error));
        while ((option = getopt_long(argc, argv, "h", settings.options, NULL)) >= 0) {
                if (option == 'h') {
                        print_help();
                        return EXIT_SUCCESS;
                }
                if (option == '?') {
                        fprintf(stderr, "Try 'dbus-mqtt-gateway reload --help'.\n");
                        return EXIT_USAGE;
                }
                if (cmd_settings_take(&settings, option, &error) < 0)
                        return cmd_usage_error("reload", "%s", error_text(error));
        }
        if (argc > optind)
                return cmd_usage_error("reload", "it takes no argument: all files are read");
        (void)reload(&settings, &status, &error);
        if (error)
                fprintf(stderr, "dbus-mqtt-gateway reload: %s\n", error_text(error));
        return status;
}
