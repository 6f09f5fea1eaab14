/* SPDX-License-Identifier: MIT */

#include "tests/bench/buses.h"

#include "tests/bench/client.h"
#include "tests/support/wait.h"

#include <signal.h>
#include <stdio.h>

#define PASSWORD "secret"

/* A program under valgrind takes its time. */
#define PATIENCE_MSEC (3 * WAIT_MSEC)

struct Buses {
        TempDir *dir;
        DbusDaemon *dbus;
        Broker *broker;
        Transport transport;
        char *mappings;
        bool wrapped;
        pid_t cockpit;
        Process *service, *responder, *rpc_responder, *gateway;
};

static const char mapping[] =
        "{\n"
        "  \"service\": \"bench\",\n"
        "  \"dbus\": { \"bus\": \"system\", \"name\": \"org.mqttrpc.Bench\" },\n"
        "  \"objects\": [{\n"
        "    \"path\": \"/org/mqttrpc/Bench\",\n"
        "    \"interfaces\": { \"org.mqttrpc.Bench\": { \"methods\": {\n"
        "      \"EchoString\": { \"in\": [\"text:s\"], \"out\": [\"text:s\"], \"access\": \"read\" "
        "},\n"
        "      \"Hold\": { \"in\": [\"text:s\"], \"out\": [\"text:s\"], \"access\": \"read\" },\n"
        "      \"EchoDict\": { \"in\": [\"dict:a{sv}\"], \"out\": [\"dict:a{sv}\"], \"access\": "
        "\"read\" }\n"
        "    }, \"signals\": { \"Tick\": { \"args\": [\"n:u\"] } } } }\n"
        "  }]\n"
        "}\n";

static const char facade_mapping[] =
        "{ \"service\": \"lib\", \"provider\": \"mqtt\", \"dbus\": { \"name\": \"" FACADE_NAME
        "\" },\n"
        "  \"objects\": [{ \"path\": \"/org/mqttrpc/Lib\", \"interfaces\": { \"" FACADE_NAME
        "\": {\n"
        "    \"methods\": { \"EchoString\": { \"in\": [\"text:s\"], \"out\": [\"text:s\"],\n"
        "      \"access\": \"read\" } } } } }] }\n";

/* ---- processes ---- */

static void wait_for_text(Process *process, ProcessStream stream, const char *text)
{
        if (!process_wait_output(process, stream, text, PATIENCE_MSEC))
                g_error("a process of the benchmark does not start");
}

static Process *start_peer(Buses *buses, const char *program, const char *role,
                           const char *const *arguments)
{
        g_autofree char *path = g_build_filename(BENCH_DIRECTORY, program, NULL);
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        Process *process;

        g_ptr_array_add(argv, path);
        if (role)
                g_ptr_array_add(argv, (gpointer)role);
        for (; *arguments; arguments++)
                g_ptr_array_add(argv, (gpointer)*arguments);
        g_ptr_array_add(argv, NULL);
        process = process_start(buses->dir, role ? role : program, (const char *const *)argv->pdata,
                                NULL);
        wait_for_text(process, PROCESS_STDOUT, "ready");
        return process;
}

static void start_service(Buses *buses)
{
        const char *arguments[] = {buses_get_address(buses), NULL};

        buses->service = start_peer(buses, "bench-peer", "dbus-echo", arguments);
}

static void start_responders(Buses *buses)
{
        ConnectionSettings settings = buses_get_settings(buses);
        g_autofree char *port = g_strdup_printf("%d", settings.port);
        const char *raw[] = {settings.host, port, "raw", PASSWORD, NULL};
        const char *lib[] = {buses_get_uri(buses), "lib", PASSWORD, NULL};

        buses->responder = start_peer(buses, "bench-peer", "mqtt-echo", raw);
        buses->rpc_responder = start_peer(buses, "bench-rpc-peer", NULL, lib);
}

static void stop_responders(Buses *buses)
{
        buses->responder = process_free(buses->responder);
        buses->rpc_responder = process_free(buses->rpc_responder);
}

void buses_stop_broker(Buses *buses)
{
        stop_responders(buses);
        broker_stop(buses->broker);
}

void buses_start_broker(Buses *buses)
{
        broker_start(buses->broker);
        start_responders(buses);
}

Process *buses_start_bare(Buses *buses)
{
        ConnectionSettings settings = buses_get_settings(buses);
        g_autofree char *port = g_strdup_printf("%d", settings.port);
        const char *arguments[] = {
                buses_get_address(buses), settings.host, port, "raw", PASSWORD, NULL};

        return start_peer(buses, "bench-peer", "idle", arguments);
}

/* ---- the gateway ---- */

static char *write_gateway_config(Buses *buses, const char *mappings)
{
        g_autofree char *password = broker_get_password_file(buses->broker, "gateway");
        g_autofree char *text =
                g_strdup_printf("{\"broker\": \"%s\", \"bus\": \"%s\", \"mappings\": [\"%s\"],\n"
                                " \"user\": \"gateway\", \"password_file\": \"%s\"}\n",
                                buses_get_uri(buses), buses_get_address(buses), mappings, password);

        return temp_dir_write(buses->dir, "gateway.json", text);
}

void buses_launch_gateway(Buses *buses, const char *const *wrapper, const char *mappings)
{
        g_autofree char *config =
                write_gateway_config(buses, mappings ? mappings : buses->mappings);
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        g_autoptr(GPtrArray) argv = g_ptr_array_new();

        g_assert_null(buses->gateway);
        for (buses->wrapped = wrapper; wrapper && *wrapper; wrapper++)
                g_ptr_array_add(argv, (gpointer)*wrapper);
        g_ptr_array_add(argv, program);
        g_ptr_array_add(argv, (gpointer) "--config");
        g_ptr_array_add(argv, config);
        g_ptr_array_add(argv, NULL);
        buses->gateway =
                process_start(buses->dir, "gateway", (const char *const *)argv->pdata, NULL);
}

void buses_wait_gateway(Buses *buses)
{
        wait_for_text(buses->gateway, PROCESS_STDERR, "ready: ");
}

void buses_start_gateway(Buses *buses, const char *const *wrapper, const char *mappings)
{
        buses_launch_gateway(buses, wrapper, mappings);
        buses_wait_gateway(buses);
}

/* A wrapper may have become the gateway (valgrind), or have it as its child and keep signals from
 * itself (strace). */
static pid_t gateway_pid(const Buses *buses)
{
        pid_t pid = process_get_pid(buses->gateway);
        g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
        g_autofree char *children = NULL;

        if (buses->wrapped && g_file_get_contents(path, &children, NULL, NULL) && *children)
                return (pid_t)strtol(children, NULL, 10);
        return pid;
}

char *buses_stop_gateway(Buses *buses)
{
        char *output;

        if (!buses->gateway)
                return NULL;
        kill(gateway_pid(buses), SIGTERM);
        if (process_wait_exit(buses->gateway, PATIENCE_MSEC) != 0)
                g_error("the gateway does not end in order");
        output = process_dup_output(buses->gateway, PROCESS_STDERR);
        buses->gateway = process_free(buses->gateway);
        return output;
}

void buses_wait_name(const Buses *buses, const char *name)
{
        if (!dbus_daemon_wait_name(buses->dbus, name, true, PATIENCE_MSEC))
                g_error("nobody takes %s", name);
}

void buses_use(Buses *buses, Transport transport)
{
        if (buses->gateway && buses->transport == transport && !buses->wrapped)
                return;
        g_free(buses_stop_gateway(buses));
        stop_responders(buses);
        buses->transport = transport;
        start_responders(buses);
        buses_start_gateway(buses, NULL, NULL);
}

static void start_facade(Buses *buses, const char *const *wrapper, bool and_echo)
{
        g_autofree char *folder = temp_dir_make(buses->dir, "facade");
        g_autofree char *facade = g_build_filename(folder, "lib.json", NULL);
        g_autofree char *echo = g_build_filename(folder, "bench.json", NULL);
        GError *error = NULL;

        g_file_set_contents(facade, facade_mapping, -1, &error);
        g_assert_no_error(error);
        if (and_echo)
                g_file_set_contents(echo, mapping, -1, &error);
        g_assert_no_error(error);
        buses_start_gateway(buses, wrapper, folder);
        buses_wait_name(buses, FACADE_NAME);
}

void buses_start_facade(Buses *buses, const char *const *wrapper)
{
        start_facade(buses, wrapper, false);
}

void buses_start_both(Buses *buses)
{
        start_facade(buses, NULL, true);
}

/* ---- life ---- */

static void add_gateway_user(Broker *broker)
{
        static const char *const services[] = {"bench", "hostname", "tree"};
        g_autoptr(GPtrArray) rights = g_ptr_array_new_with_free_func(g_free);

        g_ptr_array_add(rights, g_strdup("--gateway"));
        for (size_t i = 0; i < G_N_ELEMENTS(services) + BENCH_MANY; i++) {
                g_ptr_array_add(rights, g_strdup("--service"));
                g_ptr_array_add(rights,
                                i < G_N_ELEMENTS(services)
                                        ? g_strdup(services[i])
                                        : g_strdup_printf("many%zu", i - G_N_ELEMENTS(services)));
        }
        g_ptr_array_add(rights, g_strdup("--call"));
        g_ptr_array_add(rights, g_strdup("lib"));
        g_ptr_array_add(rights, NULL);
        broker_add_user(broker, "gateway", PASSWORD, (const char *const *)rights->pdata);
}

static void add_users(Broker *broker)
{
        const char *raw[] = {"--service", "raw", NULL};
        const char *lib[] = {"--service", "lib", NULL};
        const char *bench[] = {"--call", "bench",   "--call", "raw",     "--call", "lib",
                               "--call", "gateway", "--rpc",  "bench/+", NULL};
        const char *requester[] = {"--call", "lib", NULL};

        add_gateway_user(broker);
        broker_add_user(broker, "raw", PASSWORD, raw);
        broker_add_user(broker, "lib", PASSWORD, lib);
        broker_add_user(broker, "bench", PASSWORD, bench);
        broker_add_user(broker, "requester", PASSWORD, requester);
}

Buses *buses_new(void)
{
        Buses *buses = g_new0(Buses, 1);
        g_autofree char *file = NULL;

        buses->dir = temp_dir_new();
        buses->dbus = dbus_daemon_new(buses->dir, DBUS_DAEMON_OPEN);
        /* as every session bus has it; the default would end at 128 calls in flight */
        dbus_daemon_add_policy(buses->dbus,
                               "<limit name=\"max_replies_per_connection\">50000</limit>");
        buses->broker = broker_new(buses->dir);
        broker_enable_tcp(buses->broker);
        add_users(buses->broker);
        dbus_daemon_start(buses->dbus);
        broker_start(buses->broker);
        buses->mappings = temp_dir_make(buses->dir, "mappings");
        file = g_build_filename(buses->mappings, "bench.json", NULL);
        g_file_set_contents(file, mapping, -1, NULL);
        start_service(buses);
        return buses;
}

void buses_free(Buses *buses)
{
        process_free(buses->gateway);
        process_free(buses->responder);
        process_free(buses->rpc_responder);
        process_free(buses->service);
        broker_free(buses->broker);
        dbus_daemon_free(buses->dbus);
        temp_dir_free(buses->dir);
        g_free(buses->mappings);
        g_free(buses);
}

/* ---- what is where ---- */

pid_t buses_get_pid(const Buses *buses, BusesPart part)
{
        const Process *processes[PART_MAX] = {
                [PART_BROKER] = broker_get_process(buses->broker),
                [PART_GATEWAY] = buses->gateway,
                [PART_DBUS_DAEMON] = dbus_daemon_get_process(buses->dbus),
                [PART_SERVICE] = buses->service,
                [PART_RESPONDER] = buses->responder,
                [PART_RPC_RESPONDER] = buses->rpc_responder,
        };

        if (part == PART_REQUESTER)
                return getpid();
        if (part == PART_COCKPIT)
                return buses->cockpit;
        return processes[part] ? process_get_pid(processes[part]) : 0;
}

void buses_set_pid(Buses *buses, BusesPart part, pid_t pid)
{
        g_assert_cmpint(part, ==, PART_COCKPIT);
        buses->cockpit = pid;
}

const char *buses_part_name(BusesPart part)
{
        static const char *const names[PART_MAX] = {
                [PART_REQUESTER] = "requester",    [PART_BROKER] = "mosquitto",
                [PART_GATEWAY] = "gateway",        [PART_DBUS_DAEMON] = "dbus-daemon",
                [PART_SERVICE] = "service",        [PART_RESPONDER] = "responder",
                [PART_RPC_RESPONDER] = "rpc-peer", [PART_COCKPIT] = "cockpit-bridge",
        };

        return names[part];
}

const char *buses_get_address(const Buses *buses)
{
        return dbus_daemon_get_address(buses->dbus);
}

const char *buses_get_uri(const Buses *buses)
{
        return buses->transport == TRANSPORT_TCP ? broker_get_tcp_uri(buses->broker)
                                                 : broker_get_uri(buses->broker);
}

ConnectionSettings buses_get_settings(const Buses *buses)
{
        ConnectionSettings settings = {.user = "bench", .password = PASSWORD};

        if (buses->transport == TRANSPORT_TCP) {
                settings.host = "127.0.0.1";
                settings.port = broker_get_port(buses->broker);
        } else {
                settings.host = broker_get_socket(buses->broker);
        }
        return settings;
}

TempDir *buses_get_directory(const Buses *buses)
{
        return buses->dir;
}
