/* SPDX-License-Identifier: MIT */

/* test-dbus-service: a D-Bus service that does what a test asks of it, well or badly. It serves
 * every object path and answers by the name of the method alone, whatever the interface, so that a
 * test can give any interface, introspection and mapping it likes:
 *
 *   Echo…            returns its arguments
 *   Fail ss          fails with this error name and message
 *   FailLong su      the same with a message of so many bytes
 *   Never…           does not answer
 *   Slow u           returns nothing after so many milliseconds
 *   Die              exits without an answer
 *   Note s           keeps the text, and whether an answer was wanted; answers if so
 *   LastNote         returns both: sb
 *   Huge u           returns a string of so many bytes
 *   Wrong            returns a string, whatever was promised
 *   GiveFd           returns a file descriptor
 *   GiveVariantFd    returns one in a variant
 *   Count s          returns how often the method of this name was called: u
 *   Introspect       as told by --introspection PATH=FILE; PATH=mute: does not answer;
 *                    PATH=held:FILE: answers when it is released; *=FILE: every other path
 *   GetManagedObjects as told by --managed PATH=INTERFACE: objects without properties
 *   Release          answers what is held
 *   GiveUp           releases the name and stays
 *   Get ss, GetAll s return the property Label, if it has been given one
 *   Invalidate       emits PropertiesChanged: Label of the interface that is called is another now
 *   Own su           requests a further name, with flags of sd_bus_request_name(3); returns whether
 *                    it is the owner now, and does not wait in the queue: b
 *   Disown s         releases it, or leaves its queue, or had neither
 *   Mark u           writes its label and the number to the journal, and returns the label: s
 *   MarkSlow uu      the same, and returns after so many milliseconds
 *   Flood uu         emits the signal Flooded u of the object and interface that are called:
 *                    so many, so many in a second (0: as the bus takes them), with numbers from
 *                    1 on that the next flood goes on with; answers calls meanwhile, then this one
 *
 * Options: --bus ADDRESS (default: the bus that has started it), --name NAME, --introspection and
 * --managed, which may be repeated, --label TEXT, --journal FILE, which several may share. */

#include "common/util.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct TestService {
        sd_event *event;
        sd_bus *bus;
        GHashTable *introspection; /* object path → file, or "mute" */
        GHashTable *counts;        /* method → number of calls */
        GPtrArray *held;           /* messages: Introspect */
        char *note;
        bool note_wants_reply;
        int journal;      /* -1: none */
        uint32_t flooded; /* the last number */
} TestService;

#define HELD "held:"

static char *option_bus;
static char *option_name;
static char **option_introspection;
static char **option_managed;
static char *option_label;
static char *option_journal;

static const GOptionEntry options[] = {
        {"bus", 0, 0, G_OPTION_ARG_STRING, &option_bus, NULL, NULL},
        {"name", 0, 0, G_OPTION_ARG_STRING, &option_name, NULL, NULL},
        {"introspection", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option_introspection, NULL, NULL},
        {"managed", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option_managed, NULL, NULL},
        {"label", 0, 0, G_OPTION_ARG_STRING, &option_label, NULL, NULL},
        {"journal", 0, 0, G_OPTION_ARG_STRING, &option_journal, NULL, NULL},
        {},
};

/* ---- methods ---- */

static int method_echo(TestService *service, sd_bus_message *m)
{
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_copy(reply, m, true);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int method_fail(TestService *service, sd_bus_message *m)
{
        const char *name, *text;
        int r = sd_bus_message_read(m, "ss", &name, &text);

        return r < 0 ? r : sd_bus_reply_method_errorf(m, name, "%s", text);
}

static int method_fail_long(TestService *service, sd_bus_message *m)
{
        g_autofree char *text = NULL;
        const char *name;
        uint32_t length;
        int r = sd_bus_message_read(m, "su", &name, &length);

        if (r < 0)
                return r;
        text = g_strnfill(length, 'x');
        return sd_bus_reply_method_errorf(m, name, "%s", text);
}

static int method_never(TestService *service, sd_bus_message *m)
{
        return 1;
}

static int on_slow(sd_event_source *source, uint64_t usec, void *userdata)
{
        sd_bus_message *m = userdata;

        (void)sd_bus_reply_method_return(m, "");
        sd_bus_message_unref(m);
        sd_event_source_unref(source);
        return 0;
}

static int method_slow(TestService *service, sd_bus_message *m)
{
        sd_event_source *source;
        uint32_t msec;
        int r = sd_bus_message_read(m, "u", &msec);

        if (r < 0)
                return r;
        return sd_event_add_time_relative(service->event, &source, CLOCK_MONOTONIC,
                                          (uint64_t)msec * 1000, 1, on_slow, sd_bus_message_ref(m));
}

static int method_die(TestService *service, sd_bus_message *m)
{
        _exit(0);
}

static int method_note(TestService *service, sd_bus_message *m)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return r;
        g_free(service->note);
        service->note = g_strdup(text);
        service->note_wants_reply = sd_bus_message_get_expect_reply(m);
        return service->note_wants_reply ? sd_bus_reply_method_return(m, "") : 1;
}

static int method_last_note(TestService *service, sd_bus_message *m)
{
        return sd_bus_reply_method_return(m, "sb", service->note ? service->note : "",
                                          (int)service->note_wants_reply);
}

static int method_huge(TestService *service, sd_bus_message *m)
{
        g_autofree char *text = NULL;
        uint32_t length;
        int r = sd_bus_message_read(m, "u", &length);

        if (r < 0)
                return r;
        text = g_strnfill(length, 'x');
        return sd_bus_reply_method_return(m, "s", text);
}

static int method_wrong(TestService *service, sd_bus_message *m)
{
        return sd_bus_reply_method_return(m, "s", "not what was promised");
}

static int method_give_fd(TestService *service, sd_bus_message *m)
{
        CLEANUP_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return sd_bus_reply_method_return(m, "h", fd);
}

static int method_give_variant_fd(TestService *service, sd_bus_message *m)
{
        CLEANUP_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return sd_bus_reply_method_return(m, "v", "h", fd);
}

static int method_count(TestService *service, sd_bus_message *m)
{
        const char *method;
        int r = sd_bus_message_read(m, "s", &method);

        if (r < 0)
                return r;
        return sd_bus_reply_method_return(
                m, "u", GPOINTER_TO_UINT(g_hash_table_lookup(service->counts, method)));
}

static int method_introspect(TestService *service, sd_bus_message *m)
{
        const char *file = g_hash_table_lookup(service->introspection, sd_bus_message_get_path(m));
        g_autofree char *xml = NULL;

        if (!file)
                file = g_hash_table_lookup(service->introspection, "*");
        if (!file)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_INTERFACE,
                                                  "no introspection here");
        if (strcmp(file, "mute") == 0)
                return 1;
        if (g_str_has_prefix(file, HELD)) {
                g_ptr_array_add(service->held, sd_bus_message_ref(m));
                return 1;
        }
        if (!g_file_get_contents(file, &xml, NULL, NULL))
                return -EIO;
        return sd_bus_reply_method_return(m, "s", xml);
}

static int method_release(TestService *service, sd_bus_message *m)
{
        for (guint i = 0; i < service->held->len; i++) {
                sd_bus_message *held = service->held->pdata[i];
                const char *file =
                        g_hash_table_lookup(service->introspection, sd_bus_message_get_path(held));
                g_autofree char *xml = NULL;

                if (g_file_get_contents(file + strlen(HELD), &xml, NULL, NULL))
                        (void)sd_bus_reply_method_return(held, "s", xml);
                sd_bus_message_unref(held);
        }
        g_ptr_array_set_size(service->held, 0);
        return sd_bus_reply_method_return(m, "");
}

static int append_managed(sd_bus_message *reply)
{
        int r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");

        for (char **text = option_managed; text && *text && r >= 0; text++) {
                g_auto(GStrv) parts = g_strsplit(*text, "=", 2);

                r = sd_bus_message_append(reply, "{oa{sa{sv}}}", parts[0], 1, parts[1], 0);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_get_managed_objects(TestService *service, sd_bus_message *m)
{
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_managed(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int method_give_up(TestService *service, sd_bus_message *m)
{
        int r = sd_bus_release_name(service->bus, option_name);

        return r < 0 ? r : sd_bus_reply_method_return(m, "");
}

static int method_own(TestService *service, sd_bus_message *m)
{
        const char *name;
        uint32_t flags;
        int r = sd_bus_message_read(m, "su", &name, &flags);

        if (r >= 0)
                r = sd_bus_request_name(service->bus, name, flags);
        return r < 0 ? r : sd_bus_reply_method_return(m, "b", r > 0);
}

static int method_disown(TestService *service, sd_bus_message *m)
{
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r >= 0)
                r = sd_bus_release_name(service->bus, name);
        return r < 0 && r != -EADDRINUSE ? r : sd_bus_reply_method_return(m, "");
}

static int no_properties(sd_bus_message *m)
{
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_METHOD, "no properties here");
}

static int method_get(TestService *service, sd_bus_message *m)
{
        return option_label ? sd_bus_reply_method_return(m, "v", "s", option_label)
                            : no_properties(m);
}

static int method_invalidate(TestService *service, sd_bus_message *m)
{
        int r = sd_bus_emit_signal(service->bus, sd_bus_message_get_path(m),
                                   "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                   "sa{sv}as", sd_bus_message_get_interface(m), 0, 1, "Label");

        return r < 0 ? r : sd_bus_reply_method_return(m, "");
}

static int method_get_all(TestService *service, sd_bus_message *m)
{
        if (!option_label)
                return no_properties(m);
        return sd_bus_reply_method_return(m, "a{sv}", 1, "Label", "s", option_label);
}

/* ---- marks ---- */

/* In one write, so that it is there whole however this ends. */
static int write_mark(const TestService *service, uint32_t number)
{
        g_autofree char *line = g_strdup_printf("%s %u\n", option_label, number);

        return write(service->journal, line, strlen(line)) == (ssize_t)strlen(line) ? 0 : -EIO;
}

static int method_mark(TestService *service, sd_bus_message *m)
{
        uint32_t number;
        int r = sd_bus_message_read(m, "u", &number);

        if (r >= 0)
                r = write_mark(service, number);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", option_label);
}

static int on_mark_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        sd_bus_message *m = userdata;

        (void)sd_bus_reply_method_return(m, "s", option_label);
        sd_bus_message_unref(m);
        sd_event_source_unref(source);
        return 0;
}

static int method_mark_slow(TestService *service, sd_bus_message *m)
{
        uint32_t number, msec;
        sd_event_source *source;
        int r = sd_bus_message_read(m, "uu", &number, &msec);

        if (r >= 0)
                r = write_mark(service, number);
        if (r < 0)
                return r;
        return sd_event_add_time_relative(service->event, &source, CLOCK_MONOTONIC,
                                          (uint64_t)msec * 1000, 1, on_mark_time,
                                          sd_bus_message_ref(m));
}

/* ---- a flood ---- */

enum { FLOOD_TICK_USEC = 1000, FLOOD_TICK_SIGNALS = 500 };

typedef struct Flood {
        TestService *service;
        sd_bus_message *m; /* that asked for it */
        sd_event_source *timer;
        uint64_t started_usec;
        uint32_t sent, count, rate;
} Flood;

static void flood_end(Flood *flood)
{
        (void)sd_bus_reply_method_return(flood->m, "");
        sd_bus_message_unref(flood->m);
        sd_event_source_unref(flood->timer);
        g_free(flood);
}

/* Not more than the bus takes, or they would fill the memory here. */
static bool flood_has_room(const Flood *flood)
{
        uint64_t n_queued;

        return sd_bus_get_n_queued_write(flood->service->bus, &n_queued) >= 0 && n_queued == 0;
}

static int on_flood_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        Flood *flood = userdata;
        uint64_t now, due = flood->count;
        int r = sd_event_now(flood->service->event, CLOCK_MONOTONIC, &now);

        if (flood->rate > 0)
                due = MIN(due, (now - flood->started_usec) * flood->rate / 1000000 + 1);
        due = MIN(due, flood->sent + FLOOD_TICK_SIGNALS);
        for (; r >= 0 && flood->sent < due && flood_has_room(flood); flood->sent++)
                r = sd_bus_emit_signal(flood->service->bus, sd_bus_message_get_path(flood->m),
                                       sd_bus_message_get_interface(flood->m), "Flooded", "u",
                                       ++flood->service->flooded);
        if (r < 0)
                return r;
        if (flood->sent == flood->count) {
                flood_end(flood);
                return 0;
        }
        r = sd_event_source_set_time(source, now + FLOOD_TICK_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int method_flood(TestService *service, sd_bus_message *m)
{
        Flood *flood = g_new0(Flood, 1);
        int r;

        flood->service = service;
        flood->m = sd_bus_message_ref(m);
        r = sd_bus_message_read(m, "uu", &flood->count, &flood->rate);
        if (r >= 0)
                r = sd_event_now(service->event, CLOCK_MONOTONIC, &flood->started_usec);
        if (r >= 0)
                r = sd_event_add_time(service->event, &flood->timer, CLOCK_MONOTONIC, 0, 1,
                                      on_flood_time, flood);
        return r < 0 ? r : 1;
}

/* clang-format off */
static const struct {
        const char *name; /* ends with "*": all that start so */
        int (*handler)(TestService *service, sd_bus_message *m);
} methods[] = {
        {"Count", method_count},
        {"Die", method_die},
        {"Disown", method_disown},
        {"Echo*", method_echo},
        {"Fail", method_fail},
        {"FailLong", method_fail_long},
        {"Flood", method_flood},
        {"Get", method_get},
        {"GetAll", method_get_all},
        {"GetManagedObjects", method_get_managed_objects},
        {"GiveFd", method_give_fd},
        {"GiveUp", method_give_up},
        {"GiveVariantFd", method_give_variant_fd},
        {"Huge", method_huge},
        {"Introspect", method_introspect},
        {"Invalidate", method_invalidate},
        {"LastNote", method_last_note},
        {"Mark", method_mark},
        {"MarkSlow", method_mark_slow},
        {"Never*", method_never},
        {"Note", method_note},
        {"Own", method_own},
        {"Release", method_release},
        {"Slow", method_slow},
        {"Wrong", method_wrong},
};
/* clang-format on */

static bool name_fits(const char *pattern, const char *name)
{
        size_t length = strlen(pattern);

        if (pattern[length - 1] == '*')
                return strncmp(pattern, name, length - 1) == 0;
        return strcmp(pattern, name) == 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *name = sd_bus_message_get_member(m);
        TestService *service = userdata;
        unsigned count;

        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        count = GPOINTER_TO_UINT(g_hash_table_lookup(service->counts, name));
        g_hash_table_insert(service->counts, g_strdup(name), GUINT_TO_POINTER(count + 1));
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                if (name_fits(methods[i].name, name)) {
                        int r = methods[i].handler(service, m);

                        return r < 0 ? r : 1;
                }
        return 0; /* sd-bus says that there is no such method */
}

/* ---- life ---- */

static void read_options(TestService *service, int argc, char **argv)
{
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        GError *error = NULL;

        g_option_context_add_main_entries(context, options, NULL);
        if (!g_option_context_parse(context, &argc, &argv, &error))
                g_error("%s", error->message);
        service->journal = -1;
        if (option_journal)
                service->journal =
                        open(option_journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        service->held = g_ptr_array_new();
        service->introspection = g_hash_table_new(g_str_hash, g_str_equal);
        service->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (char **text = option_introspection; text && *text; text++) {
                char *equals = strchr(*text, '=');

                *equals = '\0';
                g_hash_table_insert(service->introspection, *text, equals + 1);
        }
}

static int set_up(TestService *service)
{
        const char *address = option_bus ? option_bus : g_getenv("DBUS_STARTER_ADDRESS");
        int r;

        r = sd_event_new(&service->event);
        if (r >= 0)
                r = sd_bus_new(&service->bus);
        if (r >= 0)
                r = sd_bus_set_address(service->bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(service->bus, true);
        if (r >= 0)
                r = sd_bus_negotiate_fds(service->bus, true);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(service->bus, true);
        if (r >= 0)
                r = sd_bus_start(service->bus);
        if (r >= 0)
                r = sd_bus_add_filter(service->bus, NULL, on_message, service);
        if (r >= 0)
                r = sd_bus_attach_event(service->bus, service->event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : sd_bus_request_name(service->bus, option_name, 0);
}

int main(int argc, char **argv)
{
        TestService service = {};
        int r;

        read_options(&service, argc, argv);
        r = set_up(&service);
        if (r >= 0)
                r = sd_event_loop(service.event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
