/* SPDX-License-Identifier: MIT */

/* `dbus-mqtt-gateway migrate`: how far a service is on its way off D-Bus, as a running gateway
 * knows it. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/table.h"
#include "gateway/cmd-ask.h"
#include "gateway/cmd.h"

typedef struct Arguments {
        CmdSettings settings;
        bool json;
        bool check;
        const char *name;
} Arguments;

static void print_help(void)
{
        printf("dbus-mqtt-gateway migrate - how far a service is on its way off D-Bus\n"
               "\n"
               "Usage: dbus-mqtt-gateway migrate status [OPTION...] NAME\n"
               "       dbus-mqtt-gateway migrate check [OPTION...] NAME\n"
               "\n"
               "Asks a running gateway about the service NAME (its name in topics, or the D-Bus "
               "name).\n"
               "'status' says who provides it, who still uses it on D-Bus, and what to do next.\n"
               "'check' lists what clients of D-Bus miss when the gateway has the name for a "
               "native\n"
               "service: '!' what is lost, '?' what may be, or has to be looked after.\n"
               "\n"
               "      --json                print the answer as it came\n"
               "\n"
               "The other options are those of 'dbus-mqtt-gateway status'.\n"
               "\n"
               "Exit status of status: 0 if the gateway has answered. Of check: 0 if nothing is "
               "lost,\n"
               "1 if something is. 2 for trouble, or a mistake in the command.\n");
}

/* ---- what it has answered ---- */

static int write_line(const JsonDoc *doc, const char *title, const char *key, Buffer *buffer)
{
        CLEANUP_FREE char *text = cmd_dup_member(doc, 0, key);

        return text ? buffer_printf(buffer, "%-12s%s\n", title, text) : -ENOMEM;
}

static int add_member(Table *table, const JsonDoc *doc, uint32_t entry, const char *key)
{
        CLEANUP_FREE char *text = cmd_dup_member(doc, entry, key);

        return text ? table_add(table, text) : (table->status = -ENOMEM);
}

static int write_users(const JsonDoc *doc, uint32_t users, Buffer *buffer)
{
        static const char *const titles[] = {"OBJECT", "INTERFACE", "MEMBER", "ACCESS",
                                             "COUNT",  "LAST",      "BY",     NULL};
        static const char *const keys[] = {"object", "interface", "member", "access",
                                           "count",  "last",      "process"};
        CLEANUP_TABLE Table table = TABLE_INIT(titles);

        JSON_FOREACH (doc, users, entry)
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                        add_member(&table, doc, entry, keys[i]);
        return table_write(&table, buffer);
}

static int write_status(const JsonDoc *doc, uint32_t users, Buffer *buffer)
{
        CLEANUP_FREE char *provider = cmd_dup_member(doc, 0, "provider");
        CLEANUP_FREE char *next = cmd_dup_member(doc, 0, "next");
        int r;

        if (!provider || !next)
                return -ENOMEM;
        r = write_line(doc, "service", "service", buffer);
        if (r >= 0)
                r = write_line(doc, "D-Bus name", "bus_name", buffer);
        if (r >= 0)
                r = write_line(doc, "provider", "provider", buffer);
        if (r >= 0)
                r = write_line(doc, "state", "state", buffer);
        if (r < 0)
                return r;
        if (!strcmp(provider, "dbus"))
                buffer_append_text(buffer, "\nWho uses the daemon on D-Bus is only seen when the "
                                           "gateway has its name.\n");
        else if (doc->nodes[users].count == 0)
                buffer_append_text(buffer,
                                   "\nNobody has used it on D-Bus by way of the gateway.\n");
        else if (buffer_append_text(buffer, "\nUsed on D-Bus:\n") >= 0)
                r = write_users(doc, users, buffer);
        return r < 0 ? r : buffer_printf(buffer, "\nNext: %s\n", next);
}

static int write_gap(const JsonDoc *doc, uint32_t gap, bool loss, Buffer *buffer)
{
        CLEANUP_FREE char *object = cmd_dup_member(doc, gap, "object");
        CLEANUP_FREE char *interface = cmd_dup_member(doc, gap, "interface");
        CLEANUP_FREE char *member = cmd_dup_member(doc, gap, "member");
        CLEANUP_FREE char *text = cmd_dup_member(doc, gap, "text");
        CLEANUP_FREE char *kind = cmd_dup_member(doc, gap, "kind");

        if (!object || !interface || !member || !text || !kind)
                return -ENOMEM;
        if (*member)
                return buffer_printf(buffer, "%c %s %s.%s of %s: %s\n", loss ? '!' : '?', kind,
                                     interface, member, object, text);
        return buffer_printf(buffer, "%c %s\n", loss ? '!' : '?', text);
}

/* Returns how many are lost. */
static int write_gaps(const JsonDoc *doc, uint32_t gaps, Buffer *buffer)
{
        int count = 0, r;

        JSON_FOREACH (doc, gaps, gap) {
                uint32_t node = json_find(doc, gap, "loss");
                bool loss =
                        node > 0 && json_type(doc, node) == JSON_BOOLEAN && json_boolean(doc, node);

                r = write_gap(doc, gap, loss, buffer);
                if (r < 0)
                        return r;
                count += loss;
        }
        if (doc->nodes[gaps].count == 0)
                buffer_append_text(buffer, "Nothing is lost.\n");
        return count;
}

/* Returns the number of losses, for 'check'. */
static int write_answer(const Arguments *arguments, const JsonDoc *doc, Buffer *buffer,
                        Error **ret_error)
{
        bool is_object = json_type(doc, 0) == JSON_OBJECT;
        uint32_t users = is_object ? json_find(doc, 0, "users") : 0;
        uint32_t gaps = is_object ? json_find(doc, 0, "gaps") : 0;
        int r;

        if (users == 0 || json_type(doc, users) != JSON_ARRAY || gaps == 0 ||
            json_type(doc, gaps) != JSON_ARRAY)
                return error_set(ret_error, -EPROTO, "the answer has no 'users' or no 'gaps'");
        r = arguments->check ? write_gaps(doc, gaps, buffer) : write_status(doc, users, buffer);
        return r < 0 ? error_set_errno(ret_error, r, "cannot tell what it has answered") : r;
}

static int show(const Arguments *arguments, const char *answer, Error **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0), json = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        const Buffer *out = arguments->json ? &json : &buffer;
        int count, r;

        r = json_scan(&doc, answer, strlen(answer), JSON_SCAN_STRICT);
        if (r < 0)
                return error_set(ret_error, r, "the answer cannot be read: %s", doc.error_reason);
        count = write_answer(arguments, &doc, &buffer, ret_error);
        if (count < 0)
                return count;
        buffer_printf(&json, "%s\n", answer);
        r = buffer_status(out);
        if (r < 0)
                return error_set(ret_error, r, "out of memory");
        r = cmd_write(NULL, buffer_text(out), out->length, ret_error);
        return r < 0 ? r : count;
}

static int ask(Arguments *arguments, Error **ret_error)
{
        CLEANUP_FREE char *answer = NULL;
        int r;

        r = cmd_ask_about(&arguments->settings, "Migration", arguments->name, &answer, ret_error);
        return r < 0 ? r : show(arguments, answer, ret_error);
}

/* ---- the command line ---- */

/* -1 to go on, else the exit status. */
static int take_option(Arguments *arguments, int option)
{
        CLEANUP_ERROR Error *error = NULL;

        switch (option) {
        case 'h': print_help(); return EXIT_SUCCESS;
        case 'j': arguments->json = true; return -1;
        case '?': fprintf(stderr, "Try 'dbus-mqtt-gateway migrate --help'.\n"); return EXIT_USAGE;
        default:
                if (cmd_settings_take(&arguments->settings, option, &error) >= 0)
                        return -1;
                return cmd_usage_error("migrate", "%s", error_text(error));
        }
}

static int take_words(Arguments *arguments, int count, char **words)
{
        static const char usage[] = "say 'status' or 'check', and the name of one service";

        if (count != 2)
                return cmd_usage_error("migrate", usage);
        arguments->check = !strcmp(words[0], "check");
        arguments->name = words[1];
        return arguments->check || !strcmp(words[0], "status") ? -1
                                                               : cmd_usage_error("migrate", usage);
}

static void arguments_done(Arguments *arguments)
{
        cmd_settings_done(&arguments->settings);
}

int cmd_migrate(int argc, char **argv)
{
        static const struct option own[] = {
                {"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, {}};
        CLEANUP(arguments_done) Arguments arguments = {};
        CLEANUP_ERROR Error *error = NULL;
        int option, r = -1;

        if (cmd_settings_init(&arguments.settings, CMD_SETTINGS_CLIENT, own, &error) < 0)
                return cmd_usage_error("migrate", "%s", error_text(error));
        while (r < 0 &&
               (option = getopt_long(argc, argv, "h", arguments.settings.options, NULL)) >= 0)
                r = take_option(&arguments, option);
        if (r < 0)
                r = take_words(&arguments, argc - optind, argv + optind);
        if (r >= 0)
                return r;
        r = ask(&arguments, &error);
        if (r < 0)
                fprintf(stderr, "dbus-mqtt-gateway migrate: %s\n",
                        error ? error_text(error) : strerrordesc_np(-r));
        return r < 0 ? EXIT_TROUBLE : r > 0 && arguments.check ? EXIT_DIFFERENT : EXIT_SUCCESS;
}
