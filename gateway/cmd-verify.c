/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/json-fields.h"
#include "gateway/cmd.h"
#include "gateway/introspection-compare.h"
#include "gateway/names.h"
#include "gateway/recorded-calls.h"
#include "gateway/survey-live.h"
#include "gateway/verify.h"

typedef struct Arguments {
        const char *bus;
        const char *against;
        const char *calls; /* a file; NULL: none */
        JsonPaths ignore;
        bool json;
        const char *name;
} Arguments;

/* Both sides. Of the legacy service there is a document, or it runs. */
typedef struct Sides {
        sd_bus *facade_bus, *legacy_bus;
        Introspection *document;
        Peer facade, legacy;
        RecordedCalls calls;
} Sides;

static void sides_done(Sides *sides)
{
        sd_bus_flush_close_unref(sides->facade_bus);
        sd_bus_flush_close_unref(sides->legacy_bus);
        introspection_free(sides->document);
        recorded_calls_done(&sides->calls);
}

static void print_help(void)
{
        printf("dbus-mqtt-gateway verify - compare a service from MQTT with the one it stands for\n"
               "\n"
               "Usage: dbus-mqtt-gateway verify [OPTION...] NAME --against XML|BUS\n"
               "\n"
               "NAME is the D-Bus name that a gateway has for a service from MQTT. Compares what\n"
               "it answers with an introspection file of the legacy service or, on another bus,\n"
               "with that itself: the introspection of all objects, all properties that can be\n"
               "read, and calls. Prints a line for each difference.\n"
               "\n"
               "      --bus BUS         where the gateway has the name: system, session or a "
               "D-Bus\n"
               "                        address (system)\n"
               "      --against XML     a file with the introspection of an object, or of all\n"
               "      --against BUS     the bus where the legacy service is: system, session or a\n"
               "                        D-Bus address\n"
               "      --calls FILE      make the calls in this JSON file, and compare the answers\n"
               "      --ignore PATTERN  leave out places that fit, as '*.TimeUSec'; may be\n"
               "                        repeated\n"
               "      --json            print a JSON object\n"
               "  -h, --help            show this help\n"
               "\n"
               "Exit status: 0 no differences, 1 differences, 2 trouble.\n");
}

/* ---- the sides ---- */

static int open_sides(const Arguments *arguments, Sides *sides, Diagnostics *diagnostics,
                      Error **ret_error)
{
        bool is_file = access(arguments->against, F_OK) == 0;
        int r;

        if (is_file)
                r = introspection_load(arguments->against, diagnostics, &sides->document,
                                       ret_error);
        else
                r = name_check_bus(arguments->against, ret_error);
        if (r < 0 && !is_file)
                error_prefix(ret_error, "--against is neither a file nor a bus: ");
        if (r < 0)
                return r;
        if (arguments->calls) {
                r = recorded_calls_load(arguments->calls, is_file, diagnostics, &sides->calls);
                if (r < 0)
                        return error_set(ret_error, r, "%s cannot be used", arguments->calls);
        }
        if (!is_file)
                r = survey_open_bus(arguments->against, &sides->legacy_bus, ret_error);
        if (r >= 0)
                r = survey_open_bus(arguments->bus, &sides->facade_bus, ret_error);
        sides->facade = (Peer){.bus = sides->facade_bus, .name = arguments->name};
        sides->legacy = (Peer){
                .bus = sides->legacy_bus,
                .name = arguments->name,
                .activate = true,
        };
        return r;
}

/* ---- comparing ---- */

static int compare_call(Sides *sides, size_t index, Facts *legacy, Facts *facade, Error **ret_error)
{
        const RecordedCall *call = &sides->calls.items[index];
        CLEANUP_BUFFER Buffer where = BUFFER_INIT(0), there = BUFFER_INIT(0), here = BUFFER_INIT(0);
        int r;

        buffer_printf(&where, "%zu %s %s.%s", index + 1, call->path, call->interface, call->method);
        if (sides->document)
                r = recorded_call_write_expected(call, sides->facade_bus, &there, ret_error);
        else
                r = recorded_call_make(call, &sides->legacy, &there, ret_error);
        if (r >= 0)
                r = recorded_call_make(call, &sides->facade, &here, ret_error);
        if (r < 0) {
                error_prefix(ret_error, "call %s: ", buffer_text(&where));
                return r;
        }
        if (buffer_status(&where) < 0 || buffer_status(&there) < 0 || buffer_status(&here) < 0 ||
            facts_add(legacy, buffer_text(&where), buffer_text(&there)) < 0 ||
            facts_add(facade, buffer_text(&where), buffer_text(&here)) < 0)
                return error_set(ret_error, -ENOMEM, "out of memory");
        return 0;
}

static int compare_calls(Sides *sides, VerifyReport *report, Error **ret_error)
{
        CLEANUP_FACTS Facts legacy = {}, facade = {};
        int r = 0;

        for (size_t i = 0; i < sides->calls.count && r >= 0; i++)
                r = compare_call(sides, i, &legacy, &facade, ret_error);
        if (r >= 0 && verify_compare(report, VERIFY_CALL, &legacy, &facade) < 0)
                r = error_set(ret_error, -ENOMEM, "out of memory");
        return r;
}

static char *home_path(const char *name)
{
        char *path;

        if (asprintf(&path, "/%s", name) < 0)
                return NULL;
        for (char *p = path; *p; p++)
                if (*p == '.')
                        *p = '/';
        return path;
}

static int take_document(Sides *sides, Snapshot *legacy, Snapshot *facade, Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(sides->facade.name);

        if (!home || introspection_add_all_facts(sides->document, home, &legacy->introspection) < 0)
                return error_set(ret_error, -ENOMEM, "out of memory");
        return snapshot_take_described(&sides->facade, sides->document, home, facade, ret_error);
}

static int compare_states(Sides *sides, VerifyReport *report, Error **ret_error)
{
        CLEANUP_SNAPSHOT Snapshot legacy = {}, facade = {};
        int r;

        if (sides->document) {
                r = take_document(sides, &legacy, &facade, ret_error);
        } else {
                r = snapshot_take(&sides->legacy, &legacy, ret_error);
                if (r < 0)
                        error_prefix(ret_error, "the legacy service: ");
                else
                        r = snapshot_take(&sides->facade, &facade, ret_error);
        }
        if (r < 0)
                return r;
        r = verify_compare(report, VERIFY_INTROSPECTION, &legacy.introspection,
                           &facade.introspection);
        if (r >= 0)
                r = verify_compare(report, VERIFY_PROPERTY, &legacy.properties, &facade.properties);
        return r < 0 ? error_set(ret_error, r, "out of memory") : 0;
}

/* Calls come first: what they have done shows in properties. Returns the number of differences. */
static int compare(const Arguments *arguments, Diagnostics *diagnostics, Error **ret_error)
{
        VerifyReport report = {
                .ignore = (const char *const *)arguments->ignore.items,
                .n_ignore = arguments->ignore.count,
        };
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        Sides sides = {};
        int r;

        r = open_sides(arguments, &sides, diagnostics, ret_error);
        if (r >= 0)
                r = compare_calls(&sides, &report, ret_error);
        if (r >= 0)
                r = compare_states(&sides, &report, ret_error);
        if (r >= 0) {
                r = arguments->json ? verify_write_json(&report, &out)
                                    : verify_write_text(&report, &out);
                r = r < 0 ? error_set_errno(ret_error, r, "cannot tell what differs")
                          : cmd_write(NULL, buffer_text(&out), out.length, ret_error);
        }
        if (r >= 0)
                r = report.count > 0;
        sides_done(&sides);
        verify_report_done(&report);
        return r;
}

/* ---- the command line ---- */

static int take(Arguments *arguments, int option, Error **ret_error)
{
        static const JsonField ignore = {"ignore", JSON_FIELD_PATHS, 0};

        switch (option) {
        case 'b': arguments->bus = optarg; return name_check_bus(optarg, ret_error);
        case 'a': arguments->against = optarg; return 0;
        case 'c': arguments->calls = optarg; return 0;
        case 'i': return json_field_set_text(&ignore, &arguments->ignore, optarg, ret_error);
        case 'j': arguments->json = true; return 0;
        default: return error_set(ret_error, -EINVAL, "the options cannot be used");
        }
}

/* True if there is something to do; else the exit status is known. */
static bool parse(Arguments *arguments, int argc, char **argv, int *ret_status)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"bus", required_argument, NULL, 'b'},
                {"against", required_argument, NULL, 'a'},
                {"calls", required_argument, NULL, 'c'},
                {"ignore", required_argument, NULL, 'i'},
                {"json", no_argument, NULL, 'j'},
                {},
        };
        CLEANUP_ERROR Error *error = NULL;
        int option, r = 0;

        while (r >= 0 && (option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (option == 'h') {
                        print_help();
                        *ret_status = EXIT_SUCCESS;
                        return false;
                }
                r = take(arguments, option, &error);
        }
        if (r >= 0 && argc - optind != 1)
                r = error_set(&error, -EINVAL, "name the D-Bus service, one");
        if (r >= 0) {
                arguments->name = argv[optind];
                r = name_check_bus_name(arguments->name, &error);
        }
        if (r >= 0 && !arguments->against)
                r = error_set(&error, -EINVAL, "say what to compare with: --against");
        if (r < 0)
                *ret_status = cmd_usage_error("verify", "%s", error_text(error));
        return r >= 0;
}

int cmd_verify(int argc, char **argv)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        Arguments arguments = {.bus = "system"};
        CLEANUP_ERROR Error *error = NULL;
        int status, r;

        if (parse(&arguments, argc, argv, &status)) {
                r = compare(&arguments, &diagnostics, &error);
                diagnostics_print(&diagnostics);
                if (r < 0)
                        fprintf(stderr, "error: %s\n", error_text(error));
                status = r < 0 ? EXIT_TROUBLE : r > 0 ? EXIT_DIFFERENT : EXIT_SUCCESS;
        }
        json_paths_done(&arguments.ignore);
        return status;
}
