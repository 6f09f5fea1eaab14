/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd-survey.h"
#include "gateway/cmd.h"
#include "gateway/diff.h"
#include "gateway/names.h"

typedef struct Arguments {
        const char *bus; /* NULL: as the mapping says */
        JsonPaths files;
        bool only_mapped;
} Arguments;

static void print_help(void)
{
        printf("dbus-mqtt-gateway diff - compare a mapping with what the service offers\n"
               "\n"
               "Usage: dbus-mqtt-gateway diff [OPTION...] FILE\n"
               "\n"
               "Prints a line for each difference: \"- \" what the mapping has and the service "
               "has\n"
               "not, \"+ \" what the service has and the mapping does not mention, \"! \" what "
               "both\n"
               "have otherwise. \"? \" is no difference: no such object is there to be compared.\n"
               "\n"
               "      --bus BUS      system, session or a D-Bus address (as the mapping says)\n"
               "      --xml FILE     introspection to read instead of asking; may be repeated\n"
               "      --only-mapped  leave out what the mapping does not mention\n"
               "  -h, --help         show this help\n"
               "\n"
               "Exit status: 0 no differences, 1 differences, 2 trouble.\n");
}

static int survey(const Arguments *arguments, const MappingService *service, Survey *survey,
                  Diagnostics *diagnostics, Error **ret_error)
{
        const char *bus = service->bus ? service->bus : "system";
        SurveySource source = {
                .bus = arguments->bus ? arguments->bus : bus,
                .bus_name = service->bus_name,
                .files = &arguments->files,
                .mapping = service,
        };

        return cmd_survey(&source, survey, diagnostics, ret_error);
}

/* Returns the number of differences. */
static int compare(const Arguments *arguments, const char *file, Diagnostics *diagnostics,
                   Error **ret_error)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        CLEANUP_SURVEY Survey offered = {};
        int r, q, count;

        r = mapping_load(file, diagnostics, &service);
        if (r < 0)
                return error_set(ret_error, r, "%s cannot be used", file);
        r = survey(arguments, service, &offered, diagnostics, ret_error);
        if (r < 0)
                return r;
        count = diff_write(service, &offered, arguments->only_mapped, &out);
        if (count < 0)
                return error_set_errno(ret_error, count, "cannot compare");
        q = cmd_write(NULL, buffer_text(&out), out.length, ret_error);
        return q < 0 ? q : count;
}

/* True if there is something to do; else the exit status is known. */
static bool parse(Arguments *arguments, int argc, char **argv, int *ret_status)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"bus", required_argument, NULL, 'b'},
                {"xml", required_argument, NULL, 'x'},
                {"only-mapped", no_argument, NULL, 'm'},
                {},
        };
        static const JsonField files = {"xml", JSON_FIELD_PATHS, 0};
        CLEANUP_ERROR Error *error = NULL;
        int option, r = 0;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                switch (option) {
                case 'h':
                        print_help();
                        *ret_status = EXIT_SUCCESS;
                        return false;
                case 'b':
                        arguments->bus = optarg;
                        r = name_check_bus(optarg, &error);
                        break;
                case 'x': r = json_field_set_text(&files, &arguments->files, optarg, &error); break;
                case 'm': arguments->only_mapped = true; break;
                default: r = error_set(&error, -EINVAL, "the options cannot be used"); break;
                }
                if (r < 0) {
                        *ret_status = cmd_usage_error("diff", "%s", error_text(error));
                        return false;
                }
        }
        if (argc - optind == 1)
                return true;
        *ret_status = cmd_usage_error("diff", "name the mapping file, one");
        return false;
}

int cmd_diff(int argc, char **argv)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        Arguments arguments = {};
        int status, r;

        if (parse(&arguments, argc, argv, &status)) {
                r = compare(&arguments, argv[optind], &diagnostics, &error);
                diagnostics_print(&diagnostics);
                if (r < 0)
                        fprintf(stderr, "error: %s\n", error_text(error));
                status = r < 0 ? EXIT_TROUBLE : r > 0 ? EXIT_DIFFERENT : EXIT_SUCCESS;
        }
        json_paths_done(&arguments.files);
        return status;
}
