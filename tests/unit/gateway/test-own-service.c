/* SPDX-License-Identifier: MIT */

#include "gateway/own-service.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define NOW (UINT64_C(1000) * USEC_PER_SEC)

typedef struct Fixture {
        MappingService mapping;
        OwnInstance instances[2];
        size_t n_instances;
        Diagnostics findings;
        Usage usage;
        OwnService service;
} Fixture;

static void list(void *gateway, OwnInstanceHandler each, void *userdata)
{
        const Fixture *fixture = gateway;

        for (size_t i = 0; i < fixture->n_instances; i++)
                each(&fixture->instances[i], userdata);
}

static void figures(void *gateway, OwnFigures *ret_figures)
{
        *ret_figures = (OwnFigures){
                .started_usec = NOW - 90 * USEC_PER_SEC, .n_connections = 2, .n_connected = 1};
}

static const Diagnostics *findings(void *gateway)
{
        return &((Fixture *)gateway)->findings;
}

static int reload(void *gateway, MappingReload *ret_reload)
{
        return -ENOMEM;
}

static const OwnServiceOps ops = {
        .list = list, .figures = figures, .findings = findings, .reload = reload};

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->mapping = (MappingService){.file = (char *)"/m/a.json",
                                            .summary = (char *)"Says \"a\"",
                                            .max_in_flight = 7,
                                            .activate = true};
        fixture->instances[0] = (OwnInstance){
                .mapping = &fixture->mapping,
                .name = "a",
                .bus = "system",
                .bus_name = "org.example.A",
                .state = "running",
                .owner = ":1.5",
                .n_objects = 3,
                .n_calls = 1,
                .stats = {.calls = 5, .errors = 1, .signals = 2, .dropped = 4, .activity_usec = 1},
        };
        fixture->instances[1] = (OwnInstance){.mapping = &fixture->mapping,
                                              .name = "b",
                                              .bus = "system",
                                              .bus_name = "org.example.B",
                                              .state = "unavailable",
                                              .stats = {.calls = 10}};
        fixture->n_instances = 2;
        fixture->service = (OwnService){
                .name = "gateway", .ops = &ops, .gateway = fixture, .usage = &fixture->usage};
        g_assert_cmpint(mqttrpc_bus_new(&fixture->service.bus), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        mqttrpc_bus_unref(fixture->service.bus);
        diagnostics_done(&fixture->findings);
        usage_done(&fixture->usage);
}

#define A_MEMBERS                                                                      \
        "\"name\":\"a\",\"state\":\"running\",\"owner\":\":1.5\",\"summary\":\"Says "  \
        "\\\"a\\\"\",\"file\":\"/m/a.json\",\"provider\":\"dbus\",\"bus\":\"system\"," \
        "\"bus_name\":\"org.example.A\",\"objects\":3,\"calls\":5,\"errors\":1,"       \
        "\"signals\":2,\"dropped\":4,\"in_flight\":1,\"idle_s\":999"

static void test_lists(Fixture *fixture, gconstpointer data)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        diagnostics_add(&fixture->findings, DIAGNOSTIC_ERROR, "/m/c.json:1:1: bad");
        diagnostics_add(&fixture->findings, DIAGNOSTIC_WARNING, "odd");
        g_assert_cmpint(own_service_write_list(&fixture->service, NOW, &text), ==, 0);
        g_assert_cmpstr(
                buffer_text(&text), ==,
                "{\"services\":[{" A_MEMBERS
                "},{\"name\":\"b\",\"state\":\"unavailable\",\"owner\":null,\"summary\":\"Says "
                "\\\"a\\\"\",\"file\":\"/m/a.json\",\"provider\":\"dbus\",\"bus\":\"system\","
                "\"bus_name\":\"org.example.B\",\"objects\":0,\"calls\":10,\"errors\":0,"
                "\"signals\":0,\"dropped\":0,\"in_flight\":0,\"idle_s\":null}],"
                "\"findings\":[{\"level\":\"error\",\"text\":\"/m/c.json:1:1: bad\"},"
                "{\"level\":\"warning\",\"text\":\"odd\"}],\"findings_left_out\":0}");
}

static void test_tells_of_one(Fixture *fixture, gconstpointer data)
{
        UsageKey mine = {USAGE_MQTT, USAGE_CALL, "a", "-", "org.example.A1", "Get"};
        UsageKey other = {USAGE_MQTT, USAGE_CALL, "b", "-", "org.example.A1", "Get"};
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);

        usage_count(&fixture->usage, &mine, "alice", NULL, 1767268800);
        usage_count(&fixture->usage, &other, "alice", NULL, 1767268800);
        g_assert_cmpint(own_service_write_one(&fixture->service, "a", NOW, &text), ==, 0);
        g_assert_cmpstr(buffer_text(&text), ==,
                        "{" A_MEMBERS ",\"max_in_flight\":7,\"activate\":true,"
                        "\"usage\":[{\"side\":\"mqtt\",\"access\":\"call\",\"object\":\"-\","
                        "\"interface\":\"org.example.A1\",\"member\":\"Get\",\"count\":1,"
                        "\"first\":\"2026-01-01T12:00:00Z\",\"last\":\"2026-01-01T12:00:00Z\","
                        "\"caller\":\"alice\"}],\"usage_left_out\":0}");
}

static void test_knows_whom_it_does_not_serve(Fixture *fixture, gconstpointer data)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);

        g_assert_cmpint(own_service_write_one(&fixture->service, "c", NOW, &text), ==, -ENOENT);
        g_assert_cmpuint(text.length, ==, 0);
}

/* A reply that is too large would be none at all. */
static void test_leaves_out_usage_that_does_not_fit(Fixture *fixture, gconstpointer data)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(32768);

        for (unsigned i = 0; i < 200; i++) {
                g_autofree char *member = g_strdup_printf("Member%u", i);
                UsageKey key = {USAGE_MQTT, USAGE_CALL, "a", "-", "org.example.A1", member};

                usage_count(&fixture->usage, &key, "alice", NULL, 1767268800);
        }
        g_assert_cmpint(own_service_write_one(&fixture->service, "a", NOW, &text), ==, 0);
        g_assert_nonnull(strstr(buffer_text(&text), "\"member\":\"Member0\""));
        g_assert_null(strstr(buffer_text(&text), "\"member\":\"Member199\""));
        g_assert_null(strstr(buffer_text(&text), "\"usage_left_out\":0}"));
}

static void test_adds_up(Fixture *fixture, gconstpointer data)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        diagnostics_add(&fixture->findings, DIAGNOSTIC_ERROR, "bad");
        fixture->usage.others[USAGE_DBUS] = 6;
        g_assert_cmpint(own_service_write_stats(&fixture->service, NOW, &text), ==, 0);
        g_assert_nonnull(strstr(buffer_text(&text),
                                "\"uptime_s\":90,\"services\":2,\"mapping_errors\":1,"
                                "\"objects\":3,\"calls\":15,\"errors\":1,\"signals\":2,"
                                "\"dropped\":4,\"in_flight\":1,"
                                "\"mqtt\":{\"user\":null,\"connected_s\":null,\"requests\":0,"));
        g_assert_nonnull(strstr(buffer_text(&text), "\"dbus\":{\"connections\":2,\"connected\":1},"
                                                    "\"usage\":{\"members\":0,\"others\":6}}"));
}

static void test_can_be_added(Fixture *fixture, gconstpointer data)
{
        MqttRpcError *error = NULL;

        g_assert_cmpint(own_service_add(&fixture->service, &error), ==, 0);
        g_assert_null(error);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/own-service/lists", test_lists);
        ADD("/own-service/tells-of-one", test_tells_of_one);
        ADD("/own-service/knows-whom-it-does-not-serve", test_knows_whom_it_does_not_serve);
        ADD("/own-service/leaves-out-usage-that-does-not-fit",
            test_leaves_out_usage_that_does_not_fit);
        ADD("/own-service/adds-up", test_adds_up);
        ADD("/own-service/can-be-added", test_can_be_added);
        return g_test_run();
}
