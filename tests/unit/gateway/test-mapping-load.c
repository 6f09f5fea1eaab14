/* SPDX-License-Identifier: MIT */

#include "gateway/mapping.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

/* The smallest mapping there is. */
static const char five_lines[] =
        "{\n"
        "  \"service\": \"hostname\",\n"
        "  \"dbus\": {\"bus\": \"system\", \"name\": \"org.freedesktop.hostname1\"},\n"
        "  \"objects\": [{\"path\": \"/org/freedesktop/hostname1\",\n"
        "    \"interfaces\": {\"org.freedesktop.hostname1\": \"*\"}}]}\n";

static MappingService *parse(const char *text)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        MappingService *service = NULL;
        int r;

        r = mapping_parse("x.json", text, strlen(text), &list, &service);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        g_assert_cmpint(r, ==, 0);
        return service;
}

static void test_five_lines_are_enough(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(five_lines);
        const MappingObject *object = mapping_service_find_object(service, "-");

        g_assert_cmpstr(service->name, ==, "hostname");
        g_assert_cmpstr(service->bus, ==, "system");
        g_assert_cmpstr(service->bus_name, ==, "org.freedesktop.hostname1");
        g_assert_true(service->activate);
        g_assert_cmpuint(service->max_in_flight, ==, 1024);
        g_assert_nonnull(object);
        g_assert_cmpstr(object->path, ==, "/org/freedesktop/hostname1");
        g_assert_true(mapping_service_find_path(service, object->path) == object);
        g_assert_true(mapping_object_needs_introspection(object));
        g_assert_null(mapping_object_find(object, MEMBER_METHOD, "Describe"));
}

/* Every key that there is, once. */
static const char everything[] =
        "{ \"$schema\": \"mapping.schema.json\", \"service\": \"s\", \"summary\": \"text\",\n"
        "  \"provider\": \"dbus\", \"max_in_flight\": 7,\n"
        "  \"dbus\": {\"name\": \"org.a\", \"activate\": false},\n"
        "  \"objects\": [{\"path\": \"/b\", \"object\": \"thing\", \"interfaces\": {\"org.a.I\": "
        "{\n"
        "    \"methods\": {\n"
        "      \"M\": {\"as\": \"run\", \"summary\": \"runs\", \"access\": \"read\",\n"
        "        \"deprecated\": true, \"mask\": true, \"bytes\": \"text\", \"variant\": "
        "\"typed\",\n"
        "        \"in\": [\"first:s\", {\"name\": \"data\", \"type\": \"ay\", \"bytes\": "
        "\"array\",\n"
        "          \"variant\": \"plain\", \"mask\": true}],\n"
        "        \"out\": [{\"type\": \"(su)\", \"fields\": [\"name\", \"size\"]}],\n"
        "        \"timeout_ms\": 5000, \"max_in_flight\": 2, \"idempotent\": true,\n"
        "        \"no_auto_start\": true, \"result\": \"object\", \"batch\": false,\n"
        "        \"no_reply\": true},\n"
        "      \"Plain\": {\"in\": [], \"out\": []},\n"
        "      \"Never\": false, \"Closed\": {\"access\": \"none\"}},\n"
        "    \"properties\": {\n"
        "      \"P\": {\"type\": \"a(is)\", \"fields\": [\"x\", \"y\"], \"retain\": false,\n"
        "        \"writable\": true, \"emits_changed\": \"invalidates\", \"poll_s\": 10,\n"
        "        \"min_interval_ms\": 200}},\n"
        "    \"signals\": {\n"
        "      \"S\": {\"args\": [\"kind:s\", \"level:i\"], \"qos\": 0, \"min_interval_ms\": 50,\n"
        "        \"filter\": {\"kind\": \"loud\", \"level\": 3}}}\n"
        "  }}}]}\n";

static void test_reads_methods(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(everything);
        const MappingObject *object = mapping_service_find_object(service, "thing");
        const MappingMember *m = mapping_object_find(object, MEMBER_METHOD, "run");

        g_assert_true(m == mapping_object_find_dbus(object, MEMBER_METHOD, "org.a.I", "M"));
        g_assert_null(mapping_object_find(object, MEMBER_METHOD, "M"));
        g_assert_cmpstr(m->interface, ==, "org.a.I");
        g_assert_cmpstr(m->member, ==, "M");
        g_assert_true(m->typed);
        g_assert_cmpstr(m->in.signature, ==, "say");
        g_assert_cmpstr(m->in.items[1].name, ==, "data");
        g_assert_cmpstr(m->out.signature, ==, "(su)");
        g_assert_cmpstr(m->out.items[0].name, ==, "arg0");
        g_assert_cmpstr(m->access, ==, "read");
        g_assert_false(m->batch);
        g_assert_true(m->mask && m->deprecated);
        g_assert_cmpuint(m->rule->timeout_usec, ==, 5000000);
        g_assert_cmpuint(m->rule->max_in_flight, ==, 2);
        g_assert_true(m->rule->idempotent && m->rule->no_auto_start);
        g_assert_cmpint(m->rule->result, ==, 1);
        g_assert_true(m->no_reply);
        g_assert_cmpint(m->rule->in.items[1].bytes, ==, CODEC_BYTES_ARRAY);
}

static void test_closed_members_do_not_exist(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(everything);
        const MappingObject *object = mapping_service_find_path(service, "/b");
        const MappingMember *plain = mapping_object_find(object, MEMBER_METHOD, "Plain");

        g_assert_null(mapping_object_find(object, MEMBER_METHOD, "Never"));
        g_assert_null(mapping_object_find(object, MEMBER_METHOD, "Closed"));
        g_assert_true(plain->typed);
        g_assert_cmpuint(plain->in.count, ==, 0);
        g_assert_cmpstr(plain->access, ==, "admin");
        g_assert_false(plain->batch);
        g_assert_false(mapping_object_needs_introspection(object));
        g_assert_false(service->activate);
        g_assert_null(service->bus);
        g_assert_cmpuint(service->max_in_flight, ==, 7);
}

static void test_reads_properties_and_signals(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(everything);
        const MappingObject *object = mapping_service_find_object(service, "thing");
        const MappingMember *p = mapping_object_find(object, MEMBER_PROPERTY, "P");
        const MappingMember *s = mapping_object_find(object, MEMBER_SIGNAL, "S");

        g_assert_cmpstr(p->out.signature, ==, "a(is)");
        g_assert_true(p->writable && p->readable);
        g_assert_cmpint(p->rule->retain, ==, 0);
        g_assert_cmpuint(p->rule->poll_s, ==, 10);
        g_assert_cmpuint(p->rule->min_interval_usec, ==, 200000);
        g_assert_cmpstr(s->out.signature, ==, "si");
        g_assert_cmpuint(s->rule->qos, ==, 0);
        g_assert_cmpuint(s->rule->n_filter, ==, 2);
        g_assert_cmpstr(s->rule->filter[0].argument, ==, "kind");
        g_assert_cmpstr(s->rule->filter[0].value, ==, "\"loud\"");
        g_assert_cmpstr(s->rule->filter[1].value, ==, "3");
        g_assert_cmpuint(s->n_tests, ==, 2);
        g_assert_cmpuint(s->tests[1].argument, ==, 1);
        g_assert_cmpstr(s->tests[1].json, ==, "3");
        g_assert_cmpint(p->emits_changed, ==, EMITS_CHANGED_INVALIDATES);
}

/* What a filter says has one form in messages, however it is written. */
static void test_filter_is_compared_as_the_codec_writes(void)
{
        static const char text[] =
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[{\"path\":\"/b\","
                "\"interfaces\":{\"a.I\":{\"signals\":{\"S\":{\"args\":[\"a:s\",\"b:t\",\"c:d\","
                "\"d:b\",\"e:i\"],\"filter\":{\"e\":5.0,\"d\":true,\"c\":1e1,\"b\":"
                "18446744073709551615,\"a\":\"\\u0041\\/\"}}}}}}]}";
        static const char *const expected[] = {"5", "true", "10", "\"18446744073709551615\"",
                                               "\"A/\""};
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(text);
        const MappingMember *m =
                mapping_object_find(mapping_service_find_path(service, "/b"), MEMBER_SIGNAL, "S");

        g_assert_cmpuint(m->n_tests, ==, 5);
        for (size_t i = 0; i < 5; i++) {
                g_assert_cmpuint(m->tests[i].argument, ==, 4 - i);
                g_assert_cmpstr(m->tests[i].json, ==, expected[i]);
        }
}

static void test_filter_of_a_plain_string(void)
{
        static const char text[] =
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[{\"path\":\"/b\","
                "\"interfaces\":{\"a.I\":{\"signals\":{\"S\":{\"args\":[\"a:s\"],"
                "\"filter\":{\"a\":\"good\"}}}}}}]}";
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(text);
        const MappingMember *m =
                mapping_object_find(mapping_service_find_path(service, "/b"), MEMBER_SIGNAL, "S");

        g_assert_cmpuint(m->n_tests, ==, 1);
        g_assert_cmpstr(m->tests[0].json, ==, "\"good\"");
}

/* ---- errors ---- */

typedef struct Refusal {
        const char *name;
        const char *text;
        const char *error;
} Refusal;

/* A mapping with `objects` put in, its first object starting in line 2. */
#define WITH(objects) \
        "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[\n" objects "]}"
#define INTERFACE(content) WITH("{\"path\":\"/b\",\"interfaces\":{\"org.a.I\":{\n" content "}}}")
#define METHOD(content)    INTERFACE("\"methods\":{\"M\":{" content "}}")
#define PROPERTY(content)  INTERFACE("\"properties\":{\"P\":{" content "}}")
#define SIGNAL(content)    INTERFACE("\"signals\":{\"S\":{" content "}}")
#define AT_I               "/objects/0/interfaces/org.a.I"
#define OBJECT             "{\"path\":\"/b\",\"interfaces\":{}}"

static const Refusal refusals[] = {
        {"no-object", "[]", "x.json:1:1: expected an object, not an array"},
        {"no-service", "{\"dbus\":{\"name\":\"org.a\"},\"objects\":[" OBJECT "]}",
         "x.json:1:1: 'service' is missing"},
        {"no-dbus", "{\"service\":\"s\",\"objects\":[" OBJECT "]}",
         "x.json:1:1: 'dbus' is missing"},
        {"no-bus-name", "{\"service\":\"s\",\"dbus\":{},\"objects\":[" OBJECT "]}",
         "x.json:1:23 /dbus: 'name' is missing"},
        {"no-objects", WITH(""), "x.json:1:50 /objects: expected one object at least"},
        {"mistyped-key", INTERFACE("\"propertys\":{}"),
         "x.json:3:1 " AT_I "/propertys: unknown key 'propertys', did you mean 'properties'?"},
        {"bad-service-name",
         "{\"service\":\"a/b\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[" OBJECT "]}",
         "x.json:1:12 /service: 'a/b' is not a name: only A-Z a-z 0-9 _ . - are allowed"},
        {"capture-without-family",
         "{\"service\":\"player.{name}\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[" OBJECT "]}",
         "x.json:1:12 /service: 'player.{name}' has a capture, but org.a is one name"},
        {"family-without-capture",
         "{\"service\":\"s\",\"dbus\":{\"name\":\"org.mpris.MediaPlayer2.*\"},\"objects\":[" OBJECT
         "]}",
         "x.json:1:12 /service: 's' is one name, but org.mpris.MediaPlayer2.* are many: put a "
         "capture into it, as in \"player.{name}\""},
        {"family-in-the-middle",
         "{\"service\":\"s.{n}\",\"dbus\":{\"name\":\"org.*.x\"},\"objects\":[" OBJECT "]}",
         "x.json:1:35 /dbus/name: 'org.*.x' is not a family of D-Bus names: expected "
         "\"org.example.Name.*\""},
        {"unique-bus-name",
         "{\"service\":\"s\",\"dbus\":{\"name\":\":1.5\"},\"objects\":[" OBJECT "]}",
         "x.json:1:31 /dbus/name: ':1.5' is not a well-known D-Bus name"},
        {"bus",
         "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\",\"bus\":\"x\"},\"objects\":[" OBJECT "]}",
         "x.json:1:45 /dbus/bus: 'x' is no bus: expected system, session or an address like "
         "unix:path=…"},
        {"provider-unknown",
         "{\"provider\":\"x\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[" OBJECT
         "]}",
         "x.json:1:13 /provider: unknown word 'x', expected one of: dbus, mqtt, auto"},
        {"facade-untyped-method",
         "{\"provider\":\"mqtt\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[\n{\"path\":\"/b\",\"interfaces\":{\"a.I\":{\"methods\":{\"M\":{}}}}}]}",
         "x.json:2:46 /objects/0/interfaces/a.I/methods/M: the types of method 'M' of a.I are not "
         "known: MQTT provides the service, so give them here or by introspection"},
        {"facade-star",
         "{\"provider\":\"auto\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[\n{\"path\":\"/b\",\"interfaces\":{\"a.I\":{\"signals\":{\"*\":{}}}}}]}",
         "x.json:2:46 /objects/0/interfaces/a.I/signals/*: '*' of a.I stands for what is not "
         "known: "
         "MQTT provides the service, so list its members or give introspection that has this "
         "interface"},
        {"facade-descriptor",
         "{\"provider\":\"mqtt\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[\n{\"path\":\"/"
         "b\",\"interfaces\":{\"a.I\":{\"signals\":{\"S\":{\"args\":[\"f:h\"]}"
         "}}}}]}",
         "x.json:2:46 /objects/0/interfaces/a.I/signals/S: signal 'S' of a.I passes file "
         "descriptors, which cannot travel by MQTT"},
        {"allow-empty-name",
         "{\"allow\":{\"users\":[\"\"]},\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[" OBJECT "]}",
         "x.json:1:20 /allow/users/0: expected a name or a number"},
        {"object-manager",
         "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\",\"object_manager\":\"x\"},"
         "\"objects\":[" OBJECT "]}",
         "x.json:1:56 /dbus/object_manager: 'x' is not a D-Bus object path"},
        {"subscribe-incomplete",
         "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\",\"subscribe\":{\"path\":\"/a\","
         "\"interface\":\"org.a\"}},\"objects\":[" OBJECT "]}",
         "x.json:1:51 /dbus/subscribe: 'method' is missing"},
        {"adds-no-path",
         WITH("{\"path\":\"/b\",\"interfaces\":{\"org.b\":{\"signals\":{\"S\":{\"args\":"
              "[\"n:u\"],\"adds\":\"n\"}}}}}"),
         "x.json:2:75 /objects/0/interfaces/org.b/signals/S/adds: no argument in 'args' is named "
         "'n' and of type 'o'"},
        {"introspection-elsewhere",
         "{\"introspection\":\"../x\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[" OBJECT "]}",
         "x.json:1:18 /introspection: '../x' is not the name of a file in the same folder"},
        {"introspection-missing",
         "{\"introspection\":\"nothing.xml\",\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
         "\"objects\":[" OBJECT "]}",
         "x.json:1:18 /introspection: cannot open nothing.xml: No such file or directory"},
        {"part-of-an-element", WITH("{\"path\":\"/org/dev_{x}\",\"interfaces\":{}}"),
         "x.json:2:9 /objects/0/path: '/org/dev_{x}': a capture is a word in braces, and a whole "
         "element of the path: \"/org/example/{thing}\""},
        {"capture-without-path", WITH("{\"path\":\"/b\",\"object\":\"{x}\",\"interfaces\":{}}"),
         "x.json:2:23 /objects/0/object: '{x}' has a capture, its path /b has none"},
        {"capture-left-out",
         WITH("{\"path\":\"/b/{x}/{y}\",\"object\":\"b.{y}\",\"interfaces\":{}}"),
         "x.json:2:31 /objects/0/object: 'b.{y}' lacks the capture 'x' of /b/{x}/{y}: two paths "
         "would have one name"},
        {"captures-not-divided",
         WITH("{\"path\":\"/b/{x}/{y}\",\"object\":\"{x}_{y}\",\"interfaces\":{}}"),
         "x.json:2:31 /objects/0/object: '{x}_{y}': there must be a '.' or '-' between two "
         "captures, else two paths could have one name"},
        {"template-of-two-forms", WITH("{\"path\":\"/{x}/{y}\",\"interfaces\":{}}"),
         "x.json:2:9 /objects/0/path: '/{x}/{y}' is also /org/a, whose default name has another "
         "form: give the names by \"object\""},
        {"find-one-object", WITH("{\"path\":\"/b\",\"find\":\"walk\",\"interfaces\":{}}"),
         "x.json:2:21 /objects/0/find: /b is one object, which need not be found"},
        {"find-word", WITH("{\"path\":\"/b/{x}\",\"find\":\"tree\",\"interfaces\":{}}"),
         "x.json:2:25 /objects/0/find: unknown word 'tree', expected one of: auto, "
         "object_manager, walk, both"},
        {"names-of-two-templates",
         WITH("{\"path\":\"/c/{x}\",\"object\":\"n.{x}\",\"interfaces\":{}},\n"
              "{\"path\":\"/d/{y}\",\"object\":\"{y}.k\",\"interfaces\":{}}"),
         "x.json:3:1 /objects/1: the names of objects, '{y}.k' of /d/{y} and 'n.{x}' of /c/{x}, "
         "could "
         "be the same: give one of them another one by \"object\""},
        {"name-of-template-and-path",
         WITH("{\"path\":\"/c/{x}\",\"object\":\"n.{x}\",\"interfaces\":{}},\n"
              "{\"path\":\"/d\",\"object\":\"n.d\",\"interfaces\":{}}"),
         "x.json:3:1 /objects/1: the names of objects, 'n.d' of /d and 'n.{x}' of /c/{x}, could be "
         "the same: give one of them another one by \"object\""},
        {"bad-path", WITH("{\"path\":\"b\",\"interfaces\":{}}"),
         "x.json:2:9 /objects/0/path: 'b' is not a D-Bus object path"},
        {"no-path", WITH("{\"interfaces\":{}}"), "x.json:2:1 /objects/0: 'path' is missing"},
        {"no-interfaces", WITH("{\"path\":\"/b\"}"),
         "x.json:2:1 /objects/0: 'interfaces' is missing"},
        {"path-twice", WITH(OBJECT ",\n" OBJECT),
         "x.json:3:1 /objects/1: the object '.b' or its path /b is there already"},
        {"object-twice",
         WITH("{\"path\":\"/b\",\"object\":\"x\",\"interfaces\":{}},\n"
              "{\"path\":\"/c\",\"object\":\"x\",\"interfaces\":{}}"),
         "x.json:3:1 /objects/1: the object 'x' or its path /c is there already"},
        {"interface-name", WITH("{\"path\":\"/b\",\"interfaces\":{\"I\":\"*\"}}"),
         "x.json:2:28 /objects/0/interfaces/I: 'I' is not the name of a D-Bus interface"},
        {"interface-value", WITH("{\"path\":\"/b\",\"interfaces\":{\"a.I\":\"all\"}}"),
         "x.json:2:34 /objects/0/interfaces/a.I: expected an object or \"*\""},
        {"member-name", INTERFACE("\"methods\":{\"a.b\":{}}"),
         "x.json:3:12 " AT_I "/methods/a.b: 'a.b' is not the name of a D-Bus member"},
        {"member-value", INTERFACE("\"methods\":{\"M\":true}"),
         "x.json:3:16 " AT_I "/methods/M: expected an object or false"},
        {"star-value", INTERFACE("\"methods\":{\"*\":false}"),
         "x.json:3:16 " AT_I "/methods/*: expected an object"},
        {"star-option", INTERFACE("\"methods\":{\"*\":{\"as\":\"x\"}}"),
         "x.json:3:17 " AT_I "/methods/*/as: 'as' cannot be said of '*'"},
        {"unknown-type", METHOD("\"in\":[\"a:s\",\"b:q?\"]"),
         "x.json:3:29 " AT_I "/methods/M/in/1: signature 'q?', at character 1: unknown type code"},
        {"type-of-object", METHOD("\"in\":[{\"type\":\"a{vs}\"}]"),
         "x.json:3:31 " AT_I "/methods/M/in/0/type: signature 'a{vs}', at character 2: "
         "the key of a dict must be of a basic type"},
        {"argument-without-type", METHOD("\"in\":[\"a\"]"),
         "x.json:3:23 " AT_I "/methods/M/in/0: expected \"name:type\", not \"a\""},
        {"argument-without-name", METHOD("\"in\":[\":s\"]"),
         "x.json:3:23 " AT_I "/methods/M/in/0: expected \"name:type\", not \":s\""},
        {"argument-kind", METHOD("\"in\":[5]"),
         "x.json:3:23 " AT_I "/methods/M/in/0: expected \"name:type\" or an object, not a number"},
        {"argument-twice", METHOD("\"out\":[\"a:s\",\"a:i\"]"),
         "x.json:3:30 " AT_I "/methods/M/out/1: two arguments are named 'a'"},
        {"unnamed-argument-twice", METHOD("\"in\":[\"arg1:s\",{\"type\":\"i\"}],\"out\":[\"s\"]"),
         "x.json:3:53 " AT_I "/methods/M/out/0: expected \"name:type\", not \"s\""},
        {"field-count", METHOD("\"in\":[{\"type\":\"(ii)\",\"fields\":[\"a\"]}]"),
         "x.json:3:23 " AT_I "/methods/M/in/0: 1 field names for a struct of 2 members in '(ii)'"},
        {"property-fields", PROPERTY("\"type\":\"s\",\"fields\":[\"a\"]"),
         "x.json:3:19 " AT_I "/properties/P: type 's' has no struct to name fields of"},
        {"bytes", METHOD("\"bytes\":\"base65\""),
         "x.json:3:25 " AT_I "/methods/M/bytes: unknown word 'base65', did you mean 'base64'?"},
        {"timeout", METHOD("\"timeout_ms\":0"),
         "x.json:3:30 " AT_I "/methods/M/timeout_ms: expected a number from 1 to 86400000"},
        {"result", METHOD("\"result\":\"list\""),
         "x.json:3:26 " AT_I
         "/methods/M/result: unknown word 'list', expected one of: array, object"},
        {"reserved-name", METHOD("\"as\":\"rpc.ping\""),
         "x.json:3:22 " AT_I
         "/methods/M/as: 'rpc.ping' is reserved: no member may be called rpc.…"},
        {"signal-key-in-method", METHOD("\"qos\":1"),
         "x.json:3:17 " AT_I "/methods/M/qos: unknown key 'qos'"},
        {"qos", SIGNAL("\"qos\":2"),
         "x.json:3:23 " AT_I "/signals/S/qos: expected a number from 0 to 1"},
        {"filter-value", SIGNAL("\"filter\":{\"a\":null}"),
         "x.json:3:31 " AT_I
         "/signals/S/filter/a: expected a string, a number or a boolean, not null"},
        {"filter-argument", SIGNAL("\"filter\":{\"a\":1},\"args\":[\"b:s\"]"),
         "x.json:3:27 " AT_I "/signals/S/filter/a: no argument is named 'a'"},
        {"filter-type", SIGNAL("\"filter\":{\"a\":1},\"args\":[\"a:s\"]"),
         "x.json:3:12 " AT_I
         "/signals/S: signal 'S': filter: 'a': expected a string, got a number"},
        {"filter-of-a-container", SIGNAL("\"filter\":{\"a\":1},\"args\":[\"a:ai\"]"),
         "x.json:3:12 " AT_I "/signals/S: signal 'S': filter: 'a' is of type 'ai', which cannot be "
         "compared"},
        {"filter-range", SIGNAL("\"filter\":{\"a\":256},\"args\":[\"a:y\"]"),
         "x.json:3:12 " AT_I "/signals/S: signal 'S': filter: 'a': 256 does not fit into byte (y)"},
        {"emits-changed", PROPERTY("\"emits_changed\":\"never\""),
         "x.json:3:36 " AT_I "/properties/P/emits_changed: unknown word 'never', expected one of: "
         "true, invalidates, const, false"},
        {"same-name", INTERFACE("\"methods\":{\"M\":{},\n\"N\":{\"as\":\"M\"}}"),
         "x.json:4:1 " AT_I "/methods/N: method 'M' of org.a.I has the name of org.a.I.M: "
         "give one of them another one with \"as\""},
        {"same-member-of-two-interfaces",
         WITH("{\"path\":\"/b\",\"interfaces\":{\"a.I\":{\"signals\":{\"S\":{}}},\n"
              "\"a.J\":{\"signals\":{\"S\":{}}}}}"),
         "x.json:3:19 /objects/0/interfaces/a.J/signals/S: signal 'S' of a.J has the name of "
         "a.I.S: give one of them another one with \"as\""},
        {"same-argument-as-unnamed", METHOD("\"in\":[{\"type\":\"s\"},\"arg0:s\"],\"out\":[]"),
         "x.json:3:12 " AT_I "/methods/M: method 'M': two arguments are named 'arg0'"},
};

static void test_refuses(gconstpointer data)
{
        const Refusal *row = data;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("x.json", row->text, strlen(row->text), &list, &service), ==,
                        -EINVAL);
        g_assert_null(service);
        g_assert_cmpuint(list.count, >, 0);
        g_assert_cmpstr(list.items[0].text, ==, row->error);
        g_assert_cmpuint(list.count, ==, 1);
}

static void test_reports_all_errors(void)
{
        static const char text[] = WITH("{\"path\":\"/b\",\"interfaces\":{\"a.I\":{\"methods\":{\n"
                                        "\"M\":{\"in\":[\"x\"],\"timeout_ms\":-1},\n"
                                        "\"N\":{\"nothing\":1}}}}},\n"
                                        "{\"path\":7,\"interfaces\":[]},\n"
                                        "{\"path\":\"b\",\"interfaces\":{\"a.I\":5}}");
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("x.json", text, strlen(text), &list, &service), ==, -EINVAL);
        g_assert_cmpuint(list.n_errors, ==, 7);
        g_assert_true(g_str_has_prefix(list.items[0].text, "x.json:3:12 "));
        g_assert_true(g_str_has_prefix(list.items[1].text, "x.json:3:30 "));
        g_assert_true(g_str_has_prefix(list.items[2].text, "x.json:4:6 "));
        g_assert_true(g_str_has_prefix(list.items[3].text, "x.json:5:9 "));
        g_assert_true(g_str_has_prefix(list.items[4].text, "x.json:5:24 "));
        g_assert_true(g_str_has_prefix(list.items[5].text, "x.json:6:9 /objects/2/path: "));
        g_assert_true(
                g_str_has_prefix(list.items[6].text, "x.json:6:33 /objects/2/interfaces/a.I: "));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/mapping-load/five-lines-are-enough", test_five_lines_are_enough);
        g_test_add_func("/mapping-load/reads-methods", test_reads_methods);
        g_test_add_func("/mapping-load/closed-members-do-not-exist",
                        test_closed_members_do_not_exist);
        g_test_add_func("/mapping-load/reads-properties-and-signals",
                        test_reads_properties_and_signals);
        g_test_add_func("/mapping-load/filter-is-compared-as-the-codec-writes",
                        test_filter_is_compared_as_the_codec_writes);
        g_test_add_func("/mapping-load/filter-of-a-plain-string", test_filter_of_a_plain_string);
        for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
                g_autofree char *path =
                        g_strconcat("/mapping-load/refuses/", refusals[i].name, NULL);

                g_test_add_data_func(path, &refusals[i], test_refuses);
        }
        g_test_add_func("/mapping-load/reports-all-errors", test_reports_all_errors);
        return g_test_run();
}
