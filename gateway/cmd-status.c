/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/printable.h"
#include "common/table.h"
#include "gateway/cmd-ask.h"
#include "gateway/cmd.h"
#include "gateway/names.h"

typedef struct Arguments {
        CmdSettings settings;
        bool json;
        const char *name; /* of a service; NULL: all */
} Arguments;

static void print_help(void)
{
        printf("dbus-mqtt-gateway status - what a running gateway serves\n"
               "\n"
               "Usage: dbus-mqtt-gateway status [OPTION...] [NAME]\n"
               "\n"
               "Asks it by way of the broker, as the user that is given or named in FILE. With "
               "NAME,\n"
               "tells more of that service, and who uses what of it.\n"
               "\n"
               "      --json                print the answer as it came\n"
               "      --config FILE         the gateway's settings, for where the broker is\n"
               "      --broker URI          mqtt://HOST[:PORT], mqtts://HOST[:PORT] or\n"
               "                            unix:///PATH\n"
               "      --root ROOT           topic prefix (mb1)\n"
               "      --name NAME           service name of the gateway (gateway)\n"
               "      --user NAME           user name at the broker\n"
               "      --password-file FILE  file whose first line is the password\n"
               "      --ca FILE             CA certificates to trust, for mqtts://\n"
               "      --cert FILE           client certificate\n"
               "      --key FILE            key of the client certificate\n"
               "  -h, --help                show this help\n"
               "\n"
               "Exit status: 0 if it has answered, 1 if not, or it does not serve NAME, 2 for a\n"
               "mistake in the command.\n");
}

/* ---- what it has answered ---- */

static int add_member(Table *table, const JsonDoc *doc, uint32_t object, const char *key)
{
        CLEANUP_FREE char *text = cmd_dup_member(doc, object, key);

        return text ? table_add(table, text) : (table->status = -ENOMEM);
}

/* "3 min ago"; "" if there never was anything. */
static char *dup_idle(const JsonDoc *doc, uint32_t object)
{
        uint32_t node = json_find(doc, object, "idle_s");
        uint64_t seconds;
        char *text;
        int r;

        if (node == 0 || json_uint64(doc, node, &seconds) < 0)
                return strdup("");
        if (seconds < 120)
                r = asprintf(&text, "%" PRIu64 " s ago", seconds);
        else if (seconds < UINT64_C(2) * 3600)
                r = asprintf(&text, "%" PRIu64 " min ago", seconds / 60);
        else if (seconds < UINT64_C(48) * 3600)
                r = asprintf(&text, "%" PRIu64 " h ago", seconds / 3600);
        else
                r = asprintf(&text, "%" PRIu64 " d ago", seconds / (UINT64_C(24) * 3600));
        return r < 0 ? NULL : text;
}

static int add_idle(Table *table, const JsonDoc *doc, uint32_t object)
{
        CLEANUP_FREE char *text = dup_idle(doc, object);

        return text ? table_add(table, text) : (table->status = -ENOMEM);
}

/* A list that the answer must have. */
static int find_list(const JsonDoc *doc, const char *key, uint32_t *ret_node, Error **ret_error)
{
        uint32_t node = json_type(doc, 0) == JSON_OBJECT ? json_find(doc, 0, key) : 0;

        if (node == 0 || json_type(doc, node) != JSON_ARRAY)
                return error_set(ret_error, -EPROTO, "the answer has no '%s'", key);
        *ret_node = node;
        return 0;
}

/* ---- all ---- */

static int write_all(const JsonDoc *doc, Buffer *buffer, Error **ret_error)
{
        static const char *const titles[] = {"SERVICE", "STATE",   "OWNER",    "OBJECTS", "CALLS",
                                             "ERRORS",  "DROPPED", "ACTIVITY", NULL};
        static const char *const keys[] = {"name",  "state",  "owner",  "objects",
                                           "calls", "errors", "dropped"};
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        uint32_t services, findings;
        int r;

        r = find_list(doc, "services", &services, ret_error);
        if (r >= 0)
                r = find_list(doc, "findings", &findings, ret_error);
        if (r < 0)
                return r;
        JSON_FOREACH (doc, services, child) {
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                        add_member(&table, doc, child, keys[i]);
                add_idle(&table, doc, child);
        }
        r = table_write(&table, buffer);
        if (doc->nodes[findings].count > 0)
                buffer_append_char(buffer, '\n');
        cmd_write_findings(doc, findings, buffer);
        return r;
}

/* ---- one ---- */

static int write_figures(const JsonDoc *doc, Buffer *buffer)
{
        static const struct {
                const char *title;
                const char *key;
        } rows[] = {
                {"state", "state"},
                {"summary", "summary"},
                {"mapping", "file"},
                {"provider", "provider"},
                {"bus", "bus"},
                {"D-Bus name", "bus_name"},
                {"owner", "owner"},
                {"objects", "objects"},
                {"calls", "calls"},
                {"errors", "errors"},
                {"signals", "signals"},
                {"dropped", "dropped"},
                {"in flight", "in_flight"},
                {"at most", "max_in_flight"},
                {"started by call", "activate"},
        };
        CLEANUP_FREE char *name = cmd_dup_member(doc, 0, "name");
        const char *titles[] = {"SERVICE", name, NULL};
        CLEANUP_TABLE Table table = TABLE_INIT(titles);

        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                table_add(&table, rows[i].title);
                add_member(&table, doc, 0, rows[i].key);
        }
        table_add(&table, "activity");
        add_idle(&table, doc, 0);
        return table_write(&table, buffer);
}

/* On D-Bus the process: its unique name there means nothing when it has ended. */
static int add_user(Table *table, const JsonDoc *doc, uint32_t entry)
{
        CLEANUP_FREE char *process = cmd_dup_member(doc, entry, "process");

        if (!process)
                return table->status = -ENOMEM;
        return *process ? table_add(table, process) : add_member(table, doc, entry, "caller");
}

static int write_usage(const JsonDoc *doc, uint32_t list, Buffer *buffer)
{
        static const char *const titles[] = {"OBJECT", "MEMBER", "ACCESS", "FROM", "COUNT",
                                             "FIRST",  "LAST",   "BY",     NULL};
        static const char *const keys[] = {"access", "side", "count", "first", "last"};
        CLEANUP_TABLE Table table = TABLE_INIT(titles);

        JSON_FOREACH (doc, list, child) {
                CLEANUP_FREE char *interface = cmd_dup_member(doc, child, "interface");
                CLEANUP_FREE char *member = cmd_dup_member(doc, child, "member");
                CLEANUP_FREE char *full = NULL;

                if (!interface || !member || asprintf(&full, "%s.%s", interface, member) < 0)
                        return -ENOMEM;
                add_member(&table, doc, child, "object");
                table_add(&table, full);
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                        add_member(&table, doc, child, keys[i]);
                add_user(&table, doc, child);
        }
        return table_write(&table, buffer);
}

static int write_one(const JsonDoc *doc, Buffer *buffer, Error **ret_error)
{
        uint32_t usage;
        int r;

        r = find_list(doc, "usage", &usage, ret_error);
        if (r >= 0)
                r = write_figures(doc, buffer);
        buffer_append_char(buffer, '\n');
        if (r < 0)
                return r;
        if (doc->nodes[usage].count > 0)
                return write_usage(doc, usage, buffer);
        return buffer_append_text(buffer, "Nothing of it has been used yet.\n");
}

/* ---- the work ---- */

static int show(const Arguments *arguments, const char *answer, Error **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        if (arguments->json) {
                buffer_printf(&buffer, "%s\n", answer);
                return cmd_write(NULL, buffer_text(&buffer), buffer.length, ret_error);
        }
        r = json_scan(&doc, answer, strlen(answer), JSON_SCAN_STRICT);
        if (r < 0)
                return error_set(ret_error, r, "the answer cannot be read: %s", doc.error_reason);
        r = arguments->name ? write_one(&doc, &buffer, ret_error)
                            : write_all(&doc, &buffer, ret_error);
        if (r >= 0)
                r = buffer_status(&buffer);
        if (r < 0 && !*ret_error)
                error_set(ret_error, r, "out of memory");
        return r < 0 ? r : cmd_write(NULL, buffer_text(&buffer), buffer.length, ret_error);
}

static int status(Arguments *arguments, Error **ret_error)
{
        CLEANUP_FREE char *answer = NULL;
        int r;

        r = cmd_ask_about(&arguments->settings, arguments->name ? "Service" : "Services",
                          arguments->name, &answer, ret_error);
        return r < 0 ? r : show(arguments, answer, ret_error);
}

/* ---- command line ---- */

/* -1 to go on, else the exit status. */
static int take_option(Arguments *arguments, int option)
{
        CLEANUP_ERROR Error *error = NULL;

        switch (option) {
        case 'h': print_help(); return EXIT_SUCCESS;
        case 'j': arguments->json = true; return -1;
        case '?': fprintf(stderr, "Try 'dbus-mqtt-gateway status --help'.\n"); return EXIT_USAGE;
        default:
                if (cmd_settings_take(&arguments->settings, option, &error) >= 0)
                        return -1;
                return cmd_usage_error("status", "%s", error_text(error));
        }
}

static void arguments_done(Arguments *arguments)
{
        cmd_settings_done(&arguments->settings);
}

int cmd_status(int argc, char **argv)
{
        static const struct option own[] = {
                {"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, {}};
        CLEANUP(arguments_done) Arguments arguments = {};
        CLEANUP_ERROR Error *error = NULL;
        int option, r = -1;

        if (cmd_settings_init(&arguments.settings, CMD_SETTINGS_CLIENT, own, &error) < 0)
                return cmd_usage_error("status", "%s", error_text(error));
        while (r < 0 &&
               (option = getopt_long(argc, argv, "h", arguments.settings.options, NULL)) >= 0)
                r = take_option(&arguments, option);
        if (r >= 0)
                return r;
        if (argc - optind > 1)
                return cmd_usage_error("status", "name one service at most");
        arguments.name = argv[optind];
        if (arguments.name && name_check_level(arguments.name, &error) < 0)
                return cmd_usage_error("status", "%s", error_text(error));
        r = status(&arguments, &error);
        if (error)
                fprintf(stderr, "dbus-mqtt-gateway status: %s\n", error_text(error));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
