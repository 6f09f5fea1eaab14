/* SPDX-License-Identifier: MIT */

#include <getopt.h>
#include <stdio.h>

#include "gateway/check.h"
#include "gateway/cmd.h"

static void print_help(void)
{
        printf("dbus-mqtt-gateway check - report what is wrong with mapping files\n"
               "\n"
               "Usage: dbus-mqtt-gateway check FILE|DIR...\n"
               "\n"
               "Reads the files, and all *.json of the folders, as if they were all there is.\n"
               "Errors, warnings and notes go to standard error, with file, line, column and JSON\n"
               "pointer. Connects to nothing.\n"
               "\n"
               "      --quiet  leave out the notes\n"
               "  -h, --help   show this help\n"
               "\n"
               "Exit status: 0 without errors, 1 with errors, 2 for a mistake in the command.\n");
}

static void print_notes(const Diagnostics *notes)
{
        for (size_t i = 0; i < notes->count; i++)
                fprintf(stderr, "note: %s\n", notes->items[i].text);
        if (diagnostics_dropped(notes) > 0)
                fprintf(stderr, "and %zu more notes\n", diagnostics_dropped(notes));
}

static int check(char *const *paths, int n_paths, bool quiet)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {}, notes = {};
        CLEANUP_MAPPING_SET MappingSet set = {};
        int n_files;

        n_files = cmd_load_mappings(paths, n_paths, &set, &diagnostics);
        if (n_files < 0) {
                fprintf(stderr, "error: out of memory\n");
                return EXIT_FAILURE;
        }
        for (const MappingService *s = set.services; s; s = s->hh.next)
                check_service(s, &diagnostics, &notes);
        diagnostics_print(&diagnostics);
        if (!quiet)
                print_notes(&notes);
        printf("%d files: %zu errors, %zu warnings\n", n_files, diagnostics.n_errors,
               diagnostics.n_warnings);
        return diagnostics.n_errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_check(int argc, char **argv)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"quiet", no_argument, NULL, 'q'},
                {},
        };
        bool quiet = false;
        int option;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (option == 'h') {
                        print_help();
                        return EXIT_SUCCESS;
                }
                if (option != 'q')
                        return cmd_usage_error("check", "the options cannot be used");
                quiet = true;
        }
        if (optind == argc)
                return cmd_usage_error("check", "name the mapping files to check");
        return check(argv + optind, argc - optind, quiet);
}
