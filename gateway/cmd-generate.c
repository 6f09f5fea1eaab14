/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/cmd-survey.h"
#include "gateway/cmd.h"
#include "gateway/generate.h"
#include "gateway/names.h"

typedef struct Arguments {
        const char *bus; /* as given; NULL: the system bus */
        const char *service;
        const char *output;
        JsonPaths files;
} Arguments;

static void print_help(void)
{
        printf("dbus-mqtt-gateway generate - write a mapping file for a D-Bus service\n"
               "\n"
               "Usage: dbus-mqtt-gateway generate [OPTION...] NAME [PATH...]\n"
               "\n"
               "Asks the service what it offers, all of it or what is at and below each PATH, and\n"
               "writes that as a mapping, with comments on what is left out. The access classes "
               "in\n"
               "it are guesses. NAME may be a family (org.mpris.MediaPlayer2.*).\n"
               "\n"
               "      --bus BUS       system, session or a D-Bus address (system)\n"
               "      --xml FILE      introspection to read instead of asking; may be repeated. "
               "It\n"
               "                      is of the path that it names, else of each PATH, which may "
               "be\n"
               "                      a template, else of the service's own path\n"
               "      --service NAME  name of the service in topics (made from NAME)\n"
               "      --output FILE   write there (standard output)\n"
               "  -h, --help          show this help\n"
               "\n"
               "Exit status: 0, 1 if that is not to be had, 2 for a mistake in the command.\n");
}

/* What is written has to be a mapping, whatever the service has said. */
static int verify(const Buffer *text, Diagnostics *diagnostics)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;

        return mapping_parse("generated", buffer_text(text), text->length, diagnostics, &service);
}

static int write_mapping(const Arguments *arguments, const char *name, const Survey *survey,
                         Diagnostics *diagnostics, Error **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_FILE_BYTES);
        CLEANUP_DRAFT Draft draft = {};
        GenerateOptions options = {
                .bus = arguments->bus,
                .bus_name = name,
                .service = arguments->service,
        };
        int r;

        r = draft_make(survey, name, NULL, NULL, &draft);
        if (r >= 0 && draft.count == 0)
                return error_set(ret_error, -ENOENT, "%s offers nothing that could be mapped",
                                 name);
        if (r >= 0)
                r = generate_write(&options, survey, &draft, &buffer);
        if (r < 0)
                return error_set_errno(ret_error, r, "the mapping cannot be written");
        r = verify(&buffer, diagnostics);
        if (r < 0)
                return error_set(ret_error, r, "what would be written is not a valid mapping");
        return cmd_write(arguments->output, buffer_text(&buffer), buffer.length, ret_error);
}

static int generate(const Arguments *arguments, const char *name, char *const *paths, int n_paths)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_SURVEY Survey survey = {};
        SurveySource source = {
                .bus = arguments->bus ? arguments->bus : "system",
                .bus_name = name,
                .paths = paths,
                .n_paths = (size_t)n_paths,
                .files = &arguments->files,
        };
        int r;

        r = cmd_survey(&source, &survey, &diagnostics, &error);
        if (r >= 0)
                r = write_mapping(arguments, name, &survey, &diagnostics, &error);
        diagnostics_print(&diagnostics);
        if (r >= 0)
                return EXIT_SUCCESS;
        fprintf(stderr, "error: %s\n", error_text(error));
        return EXIT_FAILURE;
}

static int add_file(JsonPaths *files, const char *path)
{
        static const JsonField field = {"xml", JSON_FIELD_PATHS, 0};

        return json_field_set_text(&field, files, path, NULL);
}

/* True if there is something to do; else the exit status is known. */
static bool parse(Arguments *arguments, int argc, char **argv, int *ret_status)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},         {"bus", required_argument, NULL, 'b'},
                {"xml", required_argument, NULL, 'x'},    {"service", required_argument, NULL, 's'},
                {"output", required_argument, NULL, 'o'}, {},
        };
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
                case 'x': r = add_file(&arguments->files, optarg); break;
                case 's':
                        arguments->service = optarg;
                        r = name_family_check_service(optarg, &error);
                        break;
                case 'o': arguments->output = optarg; break;
                default: r = error_set(&error, -EINVAL, "the options cannot be used"); break;
                }
                if (r < 0) {
                        *ret_status = cmd_usage_error("generate", "%s", error_text(error));
                        return false;
                }
        }
        return true;
}

static int check_names(char *const *names, int n_names, bool from_files)
{
        CLEANUP_ERROR Error *error = NULL;
        int r;

        if (n_names == 0)
                return cmd_usage_error("generate", "name the D-Bus service");
        r = name_family_check_bus_name(names[0], &error);
        for (int i = 1; i < n_names && r >= 0; i++)
                r = from_files ? path_template_check_path(names[i], &error)
                               : name_check_path(names[i], &error);
        return r < 0 ? cmd_usage_error("generate", "%s", error_text(error)) : 0;
}

int cmd_generate(int argc, char **argv)
{
        Arguments arguments = {};
        int status;

        if (parse(&arguments, argc, argv, &status)) {
                status = check_names(argv + optind, argc - optind, arguments.files.count > 0);
                if (status == 0)
                        status = generate(&arguments, argv[optind], argv + optind + 1,
                                          argc - optind - 1);
        }
        json_paths_done(&arguments.files);
        return status;
}
