/* SPDX-License-Identifier: MIT */

/* Clients that everybody has, of services that everybody has: each is asked twice, with the daemon
 * on its bus, and with what a gateway offers in its stead on another. Both have to say the same. */

#include "tests/support/hostnamed.h"
#include "tests/support/replica.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <string.h>

enum { LEGACY, FACADE, SIDES };

typedef struct Stage {
        TempDir *dir;
        DbusDaemon *buses[SIDES];
        Replica *replica;
        char *environment[SIDES][3];
} Stage;

/* One command. Lines of its output that fit `left_out` are not compared: a comment says why. Where
 * both could say the same because both fail, `says` is what has to be in it. */
typedef struct Command {
        const char *argv[12];
        const char *left_out;
        const char *says;
} Command;

static bool is_missing(const char *program)
{
        g_autofree char *path = g_find_program_in_path(program);

        return !path && !g_file_test(program, G_FILE_TEST_EXISTS);
}

/* Skips the test, and says why. */
static bool skip_without(const char *const *programs)
{
        for (; *programs; programs++)
                if (is_missing(*programs)) {
                        g_autofree char *text = g_strdup_printf("%s is not installed", *programs);

                        g_test_skip(text);
                        return true;
                }
        return false;
}

static void stage_init(Stage *stage, TempDir *dir, DbusDaemon *legacy,
                       const ReplicaOptions *options)
{
        stage->dir = dir;
        stage->replica = replica_new(dir, legacy, options);
        stage->buses[LEGACY] = legacy;
        stage->buses[FACADE] = replica_get_bus(stage->replica);
        for (int side = 0; side < SIDES; side++) {
                const char *address = dbus_daemon_get_address(stage->buses[side]);

                stage->environment[side][0] =
                        g_strdup_printf("DBUS_SYSTEM_BUS_ADDRESS=%s", address);
                stage->environment[side][1] =
                        g_strdup_printf("DBUS_SESSION_BUS_ADDRESS=%s", address);
        }
}

static void stage_done(Stage *stage)
{
        replica_free(stage->replica);
        for (int side = 0; side < SIDES; side++)
                for (size_t i = 0; i < 2; i++)
                        g_free(stage->environment[side][i]);
}
#define CLEANUP_STAGE CLEANUP(stage_done)

/* ---- what they say ---- */

static char *replace(char *text, const char *pattern, const char *with)
{
        g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
        char *result;

        g_assert_nonnull(regex);
        result = g_regex_replace_literal(regex, text, -1, 0, with, 0, NULL);
        g_assert_nonnull(result);
        g_free(text);
        return result;
}

/* Consumes the text. Names of connections, times and serial numbers are nobody's business. */
static char *normalise(char *text, const char *left_out)
{
        text = replace(text, ":\\d+\\.\\d+", ":N");
        text = replace(text, "\"timestamp-realtime\":\\d+,", "");
        text = replace(text, "\"cookie\":\\d+,", "");
        if (left_out) {
                g_autofree char *lines = g_strdup_printf("^(?=.*(%s)).*\n", left_out);

                text = replace(text, lines, "");
        }
        return text;
}

/* hostnamectl and timedatectl want to see that systemd has started the machine. */
#define BOOTED "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec \"$0\" \"$@\""

static bool wants_systemd(const char *program)
{
        return !strcmp(program, "hostnamectl") || !strcmp(program, "timedatectl");
}

static const char *const booted[] = {"unshare", "--mount", "--propagation", "private", "--",
                                     "sh",      "-c",      BOOTED};

/* Skips the test, and says why. */
static bool skip_without_namespaces(TempDir *dir)
{
        const char *argv[G_N_ELEMENTS(booted) + 2];

        memcpy(argv, booted, sizeof(booted));
        argv[G_N_ELEMENTS(booted)] = "true";
        argv[G_N_ELEMENTS(booted) + 1] = NULL;
        if (process_run(dir, argv, NULL, WAIT_MSEC, NULL, NULL) == 0)
                return false;
        g_test_skip("a mount namespace cannot be had");
        return true;
}

static char *run(Stage *stage, int side, const Command *command)
{
        ProcessOptions options = {
                .environment = (const char *const *)stage->environment[side],
        };
        g_autofree char *out = NULL, *err = NULL;
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        int status;

        for (size_t i = 0; wants_systemd(command->argv[0]) && i < G_N_ELEMENTS(booted); i++)
                g_ptr_array_add(argv, (gpointer)booted[i]);
        for (const char *const *word = command->argv; *word; word++)
                g_ptr_array_add(argv, (gpointer)*word);
        g_ptr_array_add(argv, NULL);
        status = process_run(stage->dir, (const char *const *)argv->pdata, &options, WAIT_MSEC,
                             &out, &err);
        return normalise(g_strdup_printf("%s%sstatus %d\n", out, err, status), command->left_out);
}

static void assert_same(const Command *command, const char *legacy, const char *facade)
{
        g_autofree char *line = g_strjoinv(" ", (char **)command->argv);

        g_test_message("%s\n%s", line, legacy);
        if (strcmp(legacy, facade) != 0)
                g_error("%s\n---- the daemon\n%s---- the facade\n%s", line, legacy, facade);
}

/* Each must have something to say. */
static void compare(Stage *stage, const Command *commands, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                g_autofree char *legacy = run(stage, LEGACY, &commands[i]);
                g_autofree char *facade = run(stage, FACADE, &commands[i]);

                assert_same(&commands[i], legacy, facade);
                g_assert_cmpuint(strlen(legacy), >, strlen("status 0\n"));
                if (commands[i].says && !strstr(legacy, commands[i].says))
                        g_error("%s does not say '%s'\n%s", commands[i].argv[0], commands[i].says,
                                legacy);
        }
}
#define COMPARE(stage, commands) compare((stage), (commands), G_N_ELEMENTS(commands))

/* Lets a monitor listen on one side until it has printed `text`, while a command is run. */
static char *listen_to(Stage *stage, int side, const Command *monitor, const char *ready,
                       const Command *trigger, const char *text)
{
        ProcessOptions options = {
                .environment = (const char *const *)stage->environment[side],
        };
        CLEANUP_PROCESS Process *process = NULL;
        g_autofree char *said = NULL;
        bool on_stderr = g_str_has_prefix(monitor->argv[0], "busctl");

        process = process_start(stage->dir, "monitor", monitor->argv, &options);
        if (!process_wait_output(process, on_stderr ? PROCESS_STDERR : PROCESS_STDOUT, ready,
                                 WAIT_MSEC))
                g_error("%s does not listen", monitor->argv[0]);
        said = run(stage, side, trigger);
        g_assert_nonnull(strstr(said, "status 0"));
        if (!process_wait_output(process, PROCESS_STDOUT, text, WAIT_MSEC))
                g_error("%s has not heard '%s'", monitor->argv[0], text);
        process_kill(process);
        return normalise(process_dup_output(process, PROCESS_STDOUT), monitor->left_out);
}

static void compare_monitor(Stage *stage, const Command *monitor, const char *ready,
                            const Command *trigger, const char *text)
{
        g_autofree char *legacy = listen_to(stage, LEGACY, monitor, ready, trigger, text);
        g_autofree char *facade = listen_to(stage, FACADE, monitor, ready, trigger, text);

        assert_same(monitor, legacy, facade);
}

/* And the gateway's own tool has nothing to find. `more` are options. */
static void verify(Stage *stage, const char *name, const char *const *more)
{
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        g_autofree char *out = NULL, *err = NULL;
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        int status;

        g_ptr_array_add(argv, program);
        g_ptr_array_add(argv, (gpointer) "verify");
        g_ptr_array_add(argv, (gpointer) "--bus");
        g_ptr_array_add(argv, (gpointer)dbus_daemon_get_address(stage->buses[FACADE]));
        g_ptr_array_add(argv, (gpointer) "--against");
        g_ptr_array_add(argv, (gpointer)dbus_daemon_get_address(stage->buses[LEGACY]));
        for (; *more; more++)
                g_ptr_array_add(argv, (gpointer)*more);
        g_ptr_array_add(argv, (gpointer)name);
        g_ptr_array_add(argv, NULL);
        status = process_run(stage->dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, &out,
                             &err);
        g_test_message("%s", out);
        if (status != 0)
                g_error("verify %s: %d\n%s%s", name, status, out, err);
}

/* ---- hostnamed ---- */

#define HOSTNAME      "org.freedesktop.hostname1"
#define HOSTNAME_PATH "/org/freedesktop/hostname1"
#define PROPERTIES    "org.freedesktop.DBus.Properties"

/* An object that daemons of systemd have, and shipped mappings have not. */
#define LOG_CONTROL                                                                               \
        "\"objects\": [",                                                                         \
                "\"objects\": [{\"object\": \"log\", \"path\": \"/org/freedesktop/LogControl1\"," \
                "\"interfaces\": {\"org.freedesktop.LogControl1\": {"                             \
                "\"properties\": {\"*\": {\"access\": \"read\"}}}}},"

static const ReplicaOptions hostname_options = {
        .mapping = "hostname1.json",
        .changes = (const char *const[]){"\"provider\": \"dbus\",", "", LOG_CONTROL, NULL},
        .service = "hostname",
        .bus_name = HOSTNAME,
        .objects = (const char *const[]){"-", "log", NULL},
        .calls = (const ReplicaCall[]){{"-", "Describe", NULL}, {}},
        .sets = (const ReplicaMember[]){{"-", "SetPrettyHostname", "PrettyHostname"},
                                        {"-", "SetLocation", "Location"},
                                        {}},
};

static const Command hostname_commands[] = {
        {{"hostnamectl"}, NULL, "Operating System: "},
        {{"hostnamectl", "hostname"}},
        {{"hostnamectl", "icon-name"}},
        {{"hostnamectl", "--json=pretty"}},
        {{"busctl", "tree", HOSTNAME}},
        {{"busctl", "introspect", HOSTNAME, HOSTNAME_PATH}},
        {{"busctl", "introspect", HOSTNAME, "/org"}},
        {{"busctl", "get-property", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Hostname", "KernelName"}},
        {{"busctl", "call", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Describe"}},
        {{"busctl", "call", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Nothing"}},
        {{"busctl", "call", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Describe", "s", "x"}},
        {{"busctl", "call", HOSTNAME, HOSTNAME_PATH, "org.example.Nothing", "Describe"}},
        {{"busctl", "call", HOSTNAME, "/nowhere", HOSTNAME, "Describe"}},
        {{"busctl", "get-property", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Nothing"}},
        {{"busctl", "get-property", HOSTNAME, HOSTNAME_PATH, "org.example.Nothing", "Hostname"}},
        {{"busctl", "set-property", HOSTNAME, HOSTNAME_PATH, HOSTNAME, "Hostname", "s", "x"}},
        {{"busctl", "call", HOSTNAME, HOSTNAME_PATH, "org.freedesktop.DBus.Peer", "GetMachineId"}},
        {{"gdbus", "introspect", "--system", "-d", HOSTNAME, "-o", "/", "-r"}},
        {{"gdbus", "introspect", "--system", "-d", HOSTNAME, "-o", HOSTNAME_PATH, "-p"}},
        {{"gdbus", "call", "--system", "-d", HOSTNAME, "-o", HOSTNAME_PATH, "-m",
          HOSTNAME ".Describe"}},
        {{"gdbus", "call", "--system", "-d", HOSTNAME, "-o", HOSTNAME_PATH, "-m",
          HOSTNAME ".Nothing"}},
        {{"gdbus", "call", "--system", "-d", HOSTNAME, "-o", HOSTNAME_PATH, "-m", PROPERTIES ".Get",
          HOSTNAME, "Chassis"}},
};

/* What hostnamectl and timedated ask systemd has an empty answer. */
static ScriptedService *start_systemd(DbusDaemon *bus)
{
        ScriptedService *systemd = scripted_service_new(bus);

        scripted_service_own(systemd, "org.freedesktop.systemd1");
        return systemd;
}

/* busctl monitor sees what is sent to others, which the system bus lets only root do. */
#define MAY_MONITOR                                                               \
        "<policy context=\"mandatory\"><allow own=\"org.freedesktop.systemd1\"/>" \
        "<allow send_destination=\"org.freedesktop.systemd1\"/>"                  \
        "<allow send_destination=\"org.freedesktop.DBus\""                        \
        " send_interface=\"org.freedesktop.DBus.Monitoring\"/><allow "            \
        "eavesdrop=\"true\"/></policy>"

static void test_hostnamed(void)
{
        static const char *const programs[] = {"hostnamectl", "busctl", "gdbus", NULL};
        static const Command bus_monitor = {{"busctl", "monitor", "--json=short", "--match",
                                             "type='signal',interface='" PROPERTIES "'"}};
        static const Command gdbus_monitor = {{"gdbus", "monitor", "--system", "--dest", HOSTNAME}};
        static const Command set_name = {{"hostnamectl", "--pretty", "hostname", "Living Room"}};
        static const Command set_place = {{"hostnamectl", "location", "Shelf"}};
        static const Command after[] = {{{"hostnamectl"}, NULL, "Living Room"}};
        static const char *const more[] = {NULL};
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_SYSTEM);
        CLEANUP_HOSTNAMED Hostnamed *hostnamed = NULL;
        CLEANUP_STAGE Stage stage = {};
        CLEANUP_SCRIPTED_SERVICE ScriptedService *systemd = NULL, *other = NULL;

        if (skip_without(programs) || skip_without_namespaces(dir))
                return;
        if (!hostnamed_is_installed()) {
                g_test_skip("systemd-hostnamed is not installed");
                return;
        }
        dbus_daemon_add_policy(bus, MAY_MONITOR);
        hostnamed = hostnamed_new(dir, bus, HOSTNAMED_ACTIVATED);
        dbus_daemon_start(bus);
        stage_init(&stage, dir, bus, &hostname_options);
        systemd = start_systemd(stage.buses[LEGACY]);
        other = start_systemd(stage.buses[FACADE]);
        COMPARE(&stage, hostname_commands);
        verify(&stage, HOSTNAME, more);
        if (!hostnamed_can_write(dir, NULL))
                return;
        compare_monitor(&stage, &bus_monitor, "Monitoring", &set_name, "PrettyHostname");
        compare_monitor(&stage, &gdbus_monitor, "owned by", &set_place, "Location");
        COMPARE(&stage, after);
}

/* ---- timedated ---- */

#define TIMEDATE      "org.freedesktop.timedate1"
#define TIMEDATE_PATH "/org/freedesktop/timedate1"

static const ReplicaOptions timedate_options = {
        .mapping = "timedate1.json",
        .changes = (const char *const[]){LOG_CONTROL, NULL},
        .service = "timedate",
        .bus_name = TIMEDATE,
        .objects = (const char *const[]){"-", "log", NULL},
        .calls = (const ReplicaCall[]){{"-", "ListTimezones", NULL}, {}},
};

/* The clock goes on in the daemon and stands in what was recorded. */
#define CLOCK "Local time|Universal time|RTC time|TimeUSec"

static const Command timedate_commands[] = {
        {{"timedatectl"}, CLOCK, "Time zone: "},
        {{"timedatectl", "show"}, CLOCK, "NTPSynchronized="},
        {{"timedatectl", "list-timezones"}, NULL, "Europe/Oslo"},
        {{"busctl", "introspect", TIMEDATE, TIMEDATE_PATH}, CLOCK},
        {{"busctl", "get-property", TIMEDATE, TIMEDATE_PATH, TIMEDATE, "Timezone", "NTP"}},
        {{"busctl", "call", TIMEDATE, TIMEDATE_PATH, TIMEDATE, "ListTimezones"}},
        {{"busctl", "call", TIMEDATE, TIMEDATE_PATH, TIMEDATE, "SetNTP", "s", "x"}},
        {{"gdbus", "introspect", "--system", "-d", TIMEDATE, "-o", "/", "-r"}, CLOCK},
};

/* Nothing is to set the clock of the machine, whoever should try. */
#define ONLY_READING                                                          \
        "<policy context=\"mandatory\">"                                      \
        "<deny send_interface=\"" TIMEDATE "\" send_member=\"SetTime\"/>"     \
        "<deny send_interface=\"" TIMEDATE "\" send_member=\"SetTimezone\"/>" \
        "<deny send_interface=\"" TIMEDATE "\" send_member=\"SetLocalRTC\"/></policy>"

/* Starts a daemon of the system bus, as the last words of `argv` say, on a bus that is made for it,
 * and waits for its name. */
static Process *start_daemon(TempDir *dir, DbusDaemon *bus, const char *const *argv,
                             const char *name)
{
        g_autofree char *address =
                g_strdup_printf("DBUS_SYSTEM_BUS_ADDRESS=%s", dbus_daemon_get_address(bus));
        g_autofree char *session =
                g_strdup_printf("DBUS_SESSION_BUS_ADDRESS=%s", dbus_daemon_get_address(bus));
        const char *environment[] = {address, session, NULL};
        ProcessOptions options = {.environment = environment};
        Process *process = process_start(dir, "daemon", argv, &options);

        if (!dbus_daemon_wait_name(bus, name, true, WAIT_MSEC)) {
                g_autofree char *log = process_dup_output(process, PROCESS_STDERR);

                g_error("%s does not take its name\n%s", argv[0], log);
        }
        return process;
}

static void test_timedated(void)
{
        static const char *const programs[] = {"timedatectl", "busctl", "gdbus",
                                               "/lib/systemd/systemd-timedated", NULL};
        static const char *const argv[] = {"/lib/systemd/systemd-timedated", NULL};
        static const char *const more[] = {"--ignore", "*TimeUSec", NULL};
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_OPEN);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *systemd = NULL;
        CLEANUP_PROCESS Process *daemon = NULL;
        CLEANUP_STAGE Stage stage = {};

        if (skip_without(programs) || skip_without_namespaces(dir))
                return;
        dbus_daemon_add_policy(bus, ONLY_READING);
        dbus_daemon_start(bus);
        systemd = start_systemd(bus);
        daemon = start_daemon(dir, bus, argv, TIMEDATE);
        stage_init(&stage, dir, bus, &timedate_options);
        COMPARE(&stage, timedate_commands);
        verify(&stage, TIMEDATE, more);
}

/* ---- UPower ---- */

#define UPOWER      "org.freedesktop.UPower"
#define UPOWER_PATH "/org/freedesktop/UPower"
#define BATTERY     UPOWER_PATH "/devices/battery_BAT0"

/* A battery and the mains, in the words of umockdev. */
static const char devices[] = "P: /devices/BAT0\nE: SUBSYSTEM=power_supply\n"
                              "E: POWER_SUPPLY_ONLINE=1\nA: type=Battery\\n\nA: present=1\\n\n"
                              "A: status=Discharging\\n\nA: energy_full=60000000\\n\n"
                              "A: energy_full_design=80000000\\n\nA: energy_now=48000000\\n\n"
                              "A: voltage_now=12000000\\n\nA: power_now=9500000\\n\n"
                              "A: capacity=80\\n\nA: manufacturer=Cells\\n\n"
                              "A: model_name=BAT0\\n\nA: serial_number=0001\\n\n"
                              "A: technology=Li-ion\\n\n\n"
                              "P: /devices/AC\nE: SUBSYSTEM=power_supply\nA: type=Mains\\n\n"
                              "A: online=0\\n\n";

static const ReplicaOptions upower_options = {
        .mapping = "UPower.json",
        .service = "upower",
        .bus_name = UPOWER,
        .objects = (const char *const[]){"-", "device.battery_BAT0", "device.line_power_AC",
                                         "device.DisplayDevice", NULL},
        .calls = (const ReplicaCall[]){{"-", "EnumerateDevices", NULL},
                                       {"-", "GetDisplayDevice", NULL},
                                       {"-", "GetCriticalAction", NULL},
                                       {}},
        .secrets = (const ReplicaMember[]){{"device.battery_BAT0", NULL, "Serial"},
                                           {"device.line_power_AC", NULL, "Serial"},
                                           {"device.DisplayDevice", NULL, "Serial"},
                                           {}},
};

/* "updated: … (3 seconds ago)", and a history that grows; the serial number is a secret in the
 * mapping, which GetAll does not tell, and upower asks no other way. */
#define UPOWER_MOVES "updated:|serial:|History| +\\d{10}\\t"

static const Command upower_commands[] = {
        {{"upower", "-e"}, NULL, "battery_BAT0"},
        {{"upower", "-d"}, UPOWER_MOVES, "percentage:          80%"},
        {{"upower", "-i", BATTERY}, UPOWER_MOVES, "lithium-ion"},
        {{"busctl", "tree", UPOWER}},
        {{"busctl", "introspect", UPOWER, UPOWER_PATH}},
        /* GetAll again; and a time */
        {{"busctl", "introspect", UPOWER, BATTERY}, "\\.Serial|\\.UpdateTime"},
        {{"busctl", "get-property", UPOWER, BATTERY, UPOWER ".Device", "Serial", "Percentage"}},
        {{"busctl", "call", UPOWER, UPOWER_PATH, UPOWER, "EnumerateDevices"}},
        {{"gdbus", "call", "--system", "-d", UPOWER, "-o", UPOWER_PATH, "-m",
          UPOWER ".GetDisplayDevice"}},
        {{"gdbus", "introspect", "--system", "-d", UPOWER, "-o", "/", "-r"}, " Serial| UpdateTime"},
};

static void test_upower(void)
{
        static const char *const programs[] = {
                "upower", "busctl", "gdbus", "umockdev-run", "/usr/libexec/upowerd", NULL};
        static const char *const more[] = {"--ignore", "*.Serial in GetAll", "--ignore",
                                           "*.UpdateTime", NULL};
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_OPEN);
        CLEANUP_PROCESS Process *daemon = NULL;
        g_autofree char *file = NULL;
        CLEANUP_STAGE Stage stage = {};

        if (skip_without(programs))
                return;
        file = temp_dir_write(dir, "devices", devices);
        const char *argv[] = {"umockdev-run", "--device", file, "--", "/usr/libexec/upowerd", NULL};

        dbus_daemon_start(bus);
        daemon = start_daemon(dir, bus, argv, UPOWER);
        stage_init(&stage, dir, bus, &upower_options);
        COMPARE(&stage, upower_commands);
        verify(&stage, UPOWER, more);
}

/* ---- a player ---- */

#define PLAYER      "org.mpris.MediaPlayer2.mpv"
#define PLAYER_PATH "/org/mpris/MediaPlayer2"
#define MPRIS       "org.mpris.MediaPlayer2"

static const ReplicaOptions player_options = {
        .mapping = "mpris.json",
        .changes = (const char *const[]){"\"bus\": \"session\"", "\"bus\": \"@ADDRESS@\"",
                                         "\"player.{name}\"", "\"player.mpv\"", "\"" MPRIS ".*\"",
                                         "\"" PLAYER "\"", "\"path\":",
                                         "\"object\": \"-\", \"path\":", "\"Metadata\": {",
                                         "\"Metadata\": {\"variant\": \"typed\",", NULL},
        /* what has the name of the family again */
        .facade = (const char *const[]){"\"player.mpv\"", "\"player.{name}\"", "\"" PLAYER "\"",
                                        "\"" MPRIS ".*\"", NULL},
        .service = "player.mpv",
        .bus_name = PLAYER,
        .objects = (const char *const[]){"-", NULL},
};

static const Command player_commands[] = {
        {{"playerctl", "-l"}, NULL, "mpv"},
        {{"playerctl", "status"}, NULL, "Paused"},
        {{"playerctl", "metadata"}, NULL, "mpris:length"},
        {{"playerctl", "metadata", "--format", "{{ title }} {{ duration(mpris:length) }}"}},
        {{"playerctl", "position"}},
        {{"playerctl", "volume"}},
        {{"busctl", "--user", "tree", PLAYER}},
        /* the mapping says what the player does not: that changes of Position are not told */
        {{"busctl", "--user", "introspect", PLAYER, PLAYER_PATH}, "\\.Position"},
        {{"busctl", "--user", "get-property", PLAYER, PLAYER_PATH, MPRIS ".Player", "Metadata"}},
        /* likewise */
        {{"gdbus", "introspect", "--session", "-d", PLAYER, "-o", "/", "-r"},
         "EmitsChangedSignal\\(\"false\"\\)"},
};

/* A second of silence. */
static char *write_sound(TempDir *dir)
{
        static const guint8 head[44] = "RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\1\0\1\0"
                                       "\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x40\x1f\0";
        g_autofree char *data = g_malloc(sizeof(head) + 8000);
        char *path = g_build_filename(temp_dir_get_path(dir), "silence.wav", NULL);

        memset(data, 0x80, sizeof(head) + 8000);
        memcpy(data, head, sizeof(head));
        g_assert_true(g_file_set_contents(path, data, sizeof(head) + 8000, NULL));
        return path;
}

static void test_player(void)
{
        static const char *const programs[] = {
                "mpv", "playerctl", "busctl", "gdbus", "/usr/lib/mpv-mpris/mpris.so", NULL};
        static const char *const more[] = {"--ignore", "*.Player property Position annotation *",
                                           NULL};
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_OPEN);
        CLEANUP_PROCESS Process *daemon = NULL;
        g_autofree char *sound = NULL;
        CLEANUP_STAGE Stage stage = {};

        if (skip_without(programs))
                return;
        sound = write_sound(dir);
        const char *argv[] = {"mpv",
                              "--no-config",
                              "--load-scripts=no",
                              "--script=/usr/lib/mpv-mpris/mpris.so",
                              "--ao=null",
                              "--vo=null",
                              "--no-terminal",
                              "--pause",
                              "--idle=yes",
                              "--force-media-title=Silence \u00e6",
                              sound,
                              NULL};

        dbus_daemon_start(bus);
        daemon = start_daemon(dir, bus, argv, PLAYER);
        stage_init(&stage, dir, bus, &player_options);
        COMPARE(&stage, player_commands);
        verify(&stage, PLAYER, more);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/stock-clients/hostnamed", test_hostnamed);
        g_test_add_func("/stock-clients/timedated", test_timedated);
        g_test_add_func("/stock-clients/upower", test_upower);
        g_test_add_func("/stock-clients/player", test_player);
        return g_test_run();
}
