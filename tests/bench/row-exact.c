/* SPDX-License-Identifier: MIT */

/* Counts that do not depend on the machine's mood. The gateway runs under a tool, twice, with few
 * and with many calls; the difference leaves out what starting and ending costs. Each count is also
 * told line by line: which library's code, and which of its functions we have called for it. */

#include "tests/bench/row.h"

#include "tests/bench/client.h"
#include "tests/bench/profile.h"
#include "tests/bench/tree.h"

#include <stdio.h>
#include <string.h>

enum {
        IN_FLIGHT = 64,
        ENTRIES_SHOWN = 14,
};

/* Less than one in so many calls is not worth a line. */
#define COUNT_SHOWN 0.02

/* ---- runs ---- */

static Client *new_client(Buses *buses, const Row *row, const Payload *payload)
{
        ClientMqtt settings = {
                .connection = buses_get_settings(buses), .service = "bench", .qos = row->qos};

        if (row->facade)
                return client_new_dbus(buses_get_address(buses), FACADE_NAME, payload);
        return client_new_mqtt(&settings, payload);
}

/* Runs the gateway under `wrapper` for some calls. */
static void run_calls(Buses *buses, const Row *row, const char *const *wrapper, unsigned calls,
                      unsigned in_flight)
{
        g_autoptr(Payload) payload = payload_new(row->payload);
        Client *client;

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        if (row->facade)
                buses_start_facade(buses, wrapper);
        else
                buses_start_gateway(buses, wrapper, NULL);
        client = new_client(buses, row, payload);
        client_run(client, calls, in_flight);
        client_free(client);
        g_free(buses_stop_gateway(buses));
}

static void add_count(RowResult *result, const char *label, double count)
{
        if (count >= COUNT_SHOWN)
                row_add_count(result, label, count);
}

/* ---- under callgrind ---- */

static Profile *profile_run(Buses *buses, const Row *row, unsigned calls)
{
        g_autofree char *path = temp_dir_build(buses_get_directory(buses), "callgrind");
        g_autofree char *option = g_strdup_printf("--callgrind-out-file=%s", path);
        const char *wrapper[] = {"valgrind", "--tool=callgrind", option, NULL};

        run_calls(buses, row, wrapper, calls, 1);
        return profile_load(path);
}

/* Rows of one and the same call share it. Kept to the end of the program. */
static const Profile *get_profile(Buses *buses, const Effort *effort, const Row *row)
{
        static Profile *known[PAYLOAD_LARGE + 1][2];
        Profile **profile = &known[row->payload][row->facade];
        unsigned calls = effort->exact_long - effort->exact_short;

        if (!*profile) {
                Profile *few = profile_run(buses, row, effort->exact_short);

                *profile =
                        profile_per_call(few, profile_run(buses, row, effort->exact_long), calls);
        }
        return *profile;
}

/* "12.0 × sd_bus_message_append_basic (libsystemd)" */
static const char *entry_label(const ProfileLine *entry)
{
        g_autofree char *text = g_strdup_printf("  %5.2f × %s", entry->count, entry->name);

        return g_intern_string(text);
}

/* What of our own code calls in other libraries, with all that is done for it: where a function
 * calls back, as those that process a message do, our own work is in it again. */
static void add_entries(const Profile *profile, RowResult *result)
{
        const GArray *entries = profile_get_entries(profile);

        for (guint i = 0; i < MIN(entries->len, ENTRIES_SHOWN); i++) {
                const ProfileLine *entry = &g_array_index(entries, ProfileLine, i);

                if (entry->count >= COUNT_SHOWN)
                        add_count(result, entry_label(entry), entry->instructions);
        }
}

void row_measure_instructions(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        const Profile *profile = get_profile(buses, effort, row);
        const GArray *libraries = profile_get_libraries(profile);

        for (guint i = 0; i < libraries->len; i++) {
                const ProfileLine *line = &g_array_index(libraries, ProfileLine, i);

                add_count(result, line->name, line->instructions);
        }
        add_entries(profile, result);
        result->value = profile_get_total(profile).instructions;
}

void row_measure_allocations(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        const Profile *profile = get_profile(buses, effort, row);
        const GArray *libraries = profile_get_libraries(profile);

        for (guint i = 0; i < libraries->len; i++) {
                const ProfileLine *line = &g_array_index(libraries, ProfileLine, i);

                add_count(result, line->name, line->count);
        }
        result->value = profile_get_total(profile).count;
}

/* ---- system calls ---- */

typedef struct Syscall {
        char name[32];
        unsigned long calls;
} Syscall;

/* Reads what strace -c wrote: lines of "% time, seconds, usecs/call, calls, [errors,] syscall". */
static GArray *read_syscalls(const char *path)
{
        GArray *found = g_array_new(FALSE, TRUE, sizeof(Syscall));
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                g_error("strace has written nothing");
        lines = g_strsplit(text, "\n", 0);
        for (char **line = lines; *line; line++) {
                Syscall syscall = {};
                unsigned errors;

                if (!strstr(*line, " total") &&
                    (sscanf(*line, " %*f %*f %*u %lu %u %31s", &syscall.calls, &errors,
                            syscall.name) == 3 ||
                     sscanf(*line, " %*f %*f %*u %lu %31s", &syscall.calls, syscall.name) == 2))
                        g_array_append_val(found, syscall);
        }
        return found;
}

static unsigned long count_of(const GArray *syscalls, const char *name)
{
        for (guint i = 0; i < syscalls->len; i++)
                if (!strcmp(g_array_index(syscalls, Syscall, i).name, name))
                        return g_array_index(syscalls, Syscall, i).calls;
        return 0;
}

static GArray *count_syscalls(Buses *buses, const Row *row, unsigned calls, unsigned in_flight)
{
        g_autofree char *path = temp_dir_build(buses_get_directory(buses), "strace");
        /* strace leaves its child alive when it is killed; setpriv sees to that. */
        const char *wrapper[] = {"strace",  "-f",          "-c",   "-o", path,
                                 "setpriv", "--pdeathsig", "KILL", NULL};

        run_calls(buses, row, wrapper, calls, in_flight);
        return read_syscalls(path);
}

static void measure_syscalls(Buses *buses, const Effort *effort, const Row *row, unsigned in_flight,
                             RowResult *result)
{
        g_autoptr(GArray) few = count_syscalls(buses, row, effort->exact_short, in_flight);
        g_autoptr(GArray) many = count_syscalls(buses, row, effort->exact_long, in_flight);

        for (guint i = 0; i < many->len; i++) {
                const Syscall *syscall = &g_array_index(many, Syscall, i);
                double more = (double)syscall->calls - (double)count_of(few, syscall->name);

                more /= effort->exact_long - effort->exact_short;
                add_count(result, g_intern_string(syscall->name), more);
                result->value += more;
        }
}

void row_measure_syscalls(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        measure_syscalls(buses, effort, row, 1, result);
}

void row_measure_syscalls_many(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result)
{
        measure_syscalls(buses, effort, row, IN_FLIGHT, result);
}

/* ---- one change of a property ---- */

static double count_changes(Buses *buses, unsigned n_objects, unsigned changes)
{
        g_autofree char *path = temp_dir_build(buses_get_directory(buses), "callgrind");
        g_autofree char *option = g_strdup_printf("--callgrind-out-file=%s", path);
        const char *wrapper[] = {"valgrind", "--tool=callgrind", option, NULL};
        Tree *tree = tree_new(buses, wrapper);
        g_autoptr(Profile) profile = NULL;

        tree_show(tree, n_objects);
        while (changes-- > 0)
                tree_change(tree);
        g_free(tree_end(tree));
        profile = profile_load(path);
        return profile_get_total(profile).instructions;
}

static double count_change(Buses *buses, const Effort *effort, unsigned n_objects)
{
        double few = count_changes(buses, n_objects, effort->exact_short);
        double many = count_changes(buses, n_objects, effort->exact_long);

        return (many - few) / (effort->exact_long - effort->exact_short);
}

void row_measure_growth_instructions(Buses *buses, const Effort *effort, const Row *row,
                                     RowResult *result)
{
        double few = count_change(buses, effort, effort->growth_objects / 100);
        double many = count_change(buses, effort, effort->growth_objects);

        row_add_count(result, "among few objects", few);
        row_add_count(result, "among many", many);
        result->value = many / few;
}
