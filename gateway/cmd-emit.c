/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd-survey.h"
#include "gateway/cmd.h"
#include "gateway/emit.h"
#include "gateway/names.h"
#include "gateway/openrpc.h"

static int emit_openrpc(const MappingSet *set, const EmitOptions *options, Buffer *buffer)
{
        return openrpc_write(set->services, NULL, true, buffer);
}

static const struct {
        const char *name;
        int (*emit)(const MappingSet *set, const EmitOptions *options, Buffer *buffer);
        bool one; /* a document of one service */
} kinds[] = {
        {"openrpc", emit_openrpc, true},          {"asyncapi", emit_asyncapi, false},
        {"markdown", emit_markdown, false},       {"mosquitto-acl", emit_mosquitto_acl, false},
        {"dbus-policy", emit_dbus_policy, false},
};

typedef struct Arguments {
        EmitOptions options;
        EmitGrant *grants; /* owned, and its texts are in `words` */
        JsonPaths words;
        const char *bus; /* NULL: nobody is asked */
        JsonPaths files;
        const char *output;
} Arguments;

static void print_help(void)
{
        printf("dbus-mqtt-gateway emit - documents and access rules from mapping files\n"
               "\n"
               "Usage: dbus-mqtt-gateway emit KIND [OPTION...] FILE|DIR...\n"
               "\n"
               "  openrpc        OpenRPC document of one service, as at its topic $api\n"
               "  asyncapi       AsyncAPI document of all topics\n"
               "  markdown       reference for people\n"
               "  mosquitto-acl  acl_file for Mosquitto, by access class\n"
               "  dbus-policy    what the gateway may call, for dbus-daemon\n"
               "\n"
               "      --bus BUS           ask the services on this bus (system, session or a "
               "D-Bus\n"
               "                          address) for what the mappings leave to introspection\n"
               "      --xml FILE          introspection to read instead; may be repeated\n"
               "      --root ROOT         topic prefix (mb1)\n"
               "      --grant CLASS=USER[,USER...]\n"
               "                          for mosquitto-acl: who may use members of this access\n"
               "                          class; * stands for every user. May be repeated\n"
               "      --gateway NAME      for mosquitto-acl: the gateway's user, and service\n"
               "                          (gateway)\n"
               "      --dbus-user NAME    for dbus-policy: the user that the gateway runs as\n"
               "                          (mqttrpc-gateway)\n"
               "      --output FILE       write there (standard output)\n"
               "  -h, --help              show this help\n"
               "\n"
               "Exit status: 0, 1 if that is not to be had, 2 for a mistake in the command.\n");
}

/* ---- what the mappings leave open ---- */

static int apply(const Arguments *arguments, MappingService *service, Diagnostics *diagnostics,
                 Error **ret_error)
{
        CLEANUP_SURVEY Survey survey = {};
        SurveySource source = {
                .bus = arguments->bus,
                .bus_name = service->bus_name,
                .files = &arguments->files,
                .mapping = service,
        };
        int r = 0;

        r = cmd_survey(&source, &survey, diagnostics, ret_error);
        for (MappingObject *o = service->objects; o && r >= 0; o = o->hh.next)
                r = mapping_object_apply_introspection(o, &survey.definitions, diagnostics);
        return r;
}

/* Asks, if that is wanted, and says what nobody knows. */
static int complete(const Arguments *arguments, MappingSet *set, Diagnostics *diagnostics,
                    Error **ret_error)
{
        bool ask = arguments->bus || arguments->files.count > 0;
        int r = 0;

        for (MappingService *s = set->services; s && r >= 0; s = s->hh.next) {
                bool open = false;

                for (const MappingObject *o = s->objects; o; o = o->hh.next)
                        open = open || mapping_object_needs_introspection(o);
                if (open && ask)
                        r = apply(arguments, s, diagnostics, ret_error);
                else if (open)
                        diagnostics_add(diagnostics, DIAGNOSTIC_WARNING,
                                        "%s leaves types or members to introspection, which are "
                                        "missing here; --bus or --xml would add them",
                                        s->file);
        }
        return r;
}

/* ---- the work ---- */

static int emit(const Arguments *arguments, size_t kind, char *const *paths, int n_paths,
                Diagnostics *diagnostics, Error **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_MAPPING_SET MappingSet set = {};
        int r;

        r = cmd_load_mappings(paths, n_paths, &set, diagnostics);
        if (r < 0 || diagnostics->n_errors > 0)
                return error_set(ret_error, r < 0 ? r : -EINVAL, "the mappings cannot be used");
        if (!set.services || (kinds[kind].one && set.services->hh.next))
                return error_set(ret_error, -EINVAL, "%s is of %s", kinds[kind].name,
                                 set.services ? "one service, not of several" : "one at least");
        r = complete(arguments, &set, diagnostics, ret_error);
        if (r < 0)
                return r;
        r = kinds[kind].emit(&set, &arguments->options, &buffer);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot write it");
        return cmd_write(arguments->output, buffer_text(&buffer), buffer.length, ret_error);
}

/* ---- command line ---- */

static int add_word(JsonPaths *words, const char *text, Error **ret_error)
{
        static const JsonField field = {"word", JSON_FIELD_PATHS, 0};

        return json_field_set_text(&field, words, text, ret_error);
}

static int add_grant(Arguments *arguments, const char *access, const char *user, Error **ret_error)
{
        EmitGrant *grants;
        int r;

        r = strcmp(user, "*") == 0 ? 0 : name_check_level(user, ret_error);
        if (r >= 0)
                r = add_word(&arguments->words, user, ret_error);
        if (r < 0)
                return r;
        grants = reallocarray(arguments->grants, arguments->options.n_grants + 1, sizeof(*grants));
        if (!grants)
                return error_set(ret_error, -ENOMEM, "out of memory");
        arguments->grants = grants;
        arguments->options.grants = grants;
        grants[arguments->options.n_grants++] = (EmitGrant){
                .access = access,
                .user = arguments->words.items[arguments->words.count - 1],
        };
        return 0;
}

/* CLASS=USER,USER,… */
static int add_grants(Arguments *arguments, const char *text, Error **ret_error)
{
        CLEANUP_FREE char *copy = strdup(text);
        char *users = copy ? strchr(copy, '=') : NULL;
        const char *access;
        int r;

        if (!users)
                return error_set(ret_error, -EINVAL, "--grant: expected CLASS=USER, not '%s'",
                                 text);
        *users++ = '\0';
        r = name_check_level(copy, ret_error);
        if (r >= 0)
                r = add_word(&arguments->words, copy, ret_error);
        if (r < 0)
                return r;
        access = arguments->words.items[arguments->words.count - 1];
        for (char *user = strsep(&users, ","); user && r >= 0; user = strsep(&users, ","))
                r = add_grant(arguments, access, user, ret_error);
        return r;
}

static int set_level(const char **target, const char *text, Error **ret_error)
{
        *target = text;
        return name_check_level(text, ret_error);
}

static int take_option(Arguments *arguments, int option, Error **ret_error)
{
        switch (option) {
        case 'b': arguments->bus = optarg; return name_check_bus(optarg, ret_error);
        case 'x': return add_word(&arguments->files, optarg, ret_error);
        case 'r': arguments->options.root = optarg; return name_check_root(optarg, ret_error);
        case 'g': return add_grants(arguments, optarg, ret_error);
        case 'w': return set_level(&arguments->options.gateway, optarg, ret_error);
        case 'u': return set_level(&arguments->options.dbus_user, optarg, ret_error);
        case 'o': arguments->output = optarg; return 0;
        default: return error_set(ret_error, -EINVAL, "the options cannot be used");
        }
}

/* True if there is something to do; else the exit status is known. */
static bool parse(Arguments *arguments, int argc, char **argv, size_t *ret_kind, int *ret_status)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"bus", required_argument, NULL, 'b'},
                {"xml", required_argument, NULL, 'x'},
                {"root", required_argument, NULL, 'r'},
                {"grant", required_argument, NULL, 'g'},
                {"gateway", required_argument, NULL, 'w'},
                {"dbus-user", required_argument, NULL, 'u'},
                {"output", required_argument, NULL, 'o'},
                {},
        };
        CLEANUP_ERROR Error *error = NULL;
        int option;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (option == 'h') {
                        print_help();
                        *ret_status = EXIT_SUCCESS;
                        return false;
                }
                if (take_option(arguments, option, &error) < 0) {
                        *ret_status = cmd_usage_error("emit", "%s", error_text(error));
                        return false;
                }
        }
        for (size_t i = 0; optind < argc && i < ARRAY_SIZE(kinds); i++)
                if (strcmp(argv[optind], kinds[i].name) == 0) {
                        *ret_kind = i;
                        optind++;
                        if (optind < argc)
                                return true;
                        *ret_status = cmd_usage_error("emit", "name the mapping files");
                        return false;
                }
        *ret_status = cmd_usage_error("emit", "%s%s%s", optind < argc ? "'" : "",
                                      optind < argc ? argv[optind] : "name a kind of document",
                                      optind < argc ? "' is nothing that can be emitted" : "");
        return false;
}

int cmd_emit(int argc, char **argv)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        Arguments arguments = {
                .options = {.root = "mb1", .gateway = "gateway", .dbus_user = "mqttrpc-gateway"},
        };
        size_t kind = 0;
        int status;

        if (parse(&arguments, argc, argv, &kind, &status)) {
                int r = emit(&arguments, kind, argv + optind, argc - optind, &diagnostics, &error);

                diagnostics_print(&diagnostics);
                if (r < 0)
                        fprintf(stderr, "error: %s\n", error_text(error));
                status = r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        }
        free(arguments.grants);
        json_paths_done(&arguments.words);
        json_paths_done(&arguments.files);
        return status;
}
