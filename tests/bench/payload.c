/* SPDX-License-Identifier: MIT */

#include "tests/bench/payload.h"

#include <string.h>

struct Payload {
        PayloadKind kind;
        char *text; /* the string; NULL for the dict */
        char *params;
};

/* As NetworkManager or systemd would fill one: mostly strings, some numbers. */
static const struct {
        const char *key;
        char type;
        const char *text;
        double number;
} entries[] = {
        {"Interface", 's', "wlp2s0", 0},
        {"Driver", 's', "iwlwifi", 0},
        {"DriverVersion", 's', "6.1.0-28-amd64", 0},
        {"FirmwareVersion", 's', "77.2df8986f.0 cc-a0-77.ucode", 0},
        {"HwAddress", 's', "00:11:22:33:44:55", 0},
        {"PermHwAddress", 's', "66:77:88:99:AA:BB", 0},
        {"ActiveConnection", 'o', "/org/freedesktop/NetworkManager/ActiveConnection/7", 0},
        {"Ip4Config", 'o', "/org/freedesktop/NetworkManager/IP4Config/12", 0},
        {"PhysicalPortId", 's', "", 0},
        {"Path", 's', "pci-0000:02:00.0", 0},
        {"Managed", 'b', NULL, 1},
        {"Autoconnect", 'b', NULL, 1},
        {"FirmwareMissing", 'b', NULL, 0},
        {"State", 'u', NULL, 100},
        {"Mtu", 'u', NULL, 1500},
        {"DeviceType", 'u', NULL, 2},
        {"Metered", 'i', NULL, -4},
        {"RxBytes", 't', NULL, 123456789012},
        {"LastSeen", 'x', NULL, -86400000},
        {"Strength", 'd', NULL, 0.625},
};

G_STATIC_ASSERT(G_N_ELEMENTS(entries) == 20);

/* ---- JSON ---- */

static void append_number(GString *json, char type, double number)
{
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        if (type == 'b')
                g_string_append(json, number != 0 ? "true" : "false");
        else
                g_string_append(json, g_ascii_dtostr(text, sizeof(text), number));
}

static char *dict_to_json(void)
{
        GString *json = g_string_new("[{");

        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
                g_string_append_printf(json, "%s\"%s\":{\"type\":\"%c\",\"data\":", i ? "," : "",
                                       entries[i].key, entries[i].type);
                if (entries[i].text)
                        g_string_append_printf(json, "\"%s\"", entries[i].text);
                else
                        append_number(json, entries[i].type, entries[i].number);
                g_string_append_c(json, '}');
        }
        g_string_append(json, "}]");
        return g_string_free(json, FALSE);
}

/* ---- life ---- */

Payload *payload_new(PayloadKind kind)
{
        Payload *payload = g_new0(Payload, 1);

        payload->kind = kind;
        if (kind == PAYLOAD_DICT) {
                payload->params = dict_to_json();
                return payload;
        }
        payload->text = g_strnfill(kind == PAYLOAD_STRING ? 64 : 64 << 10, 'x');
        payload->params = g_strdup_printf("[\"%s\"]", payload->text);
        return payload;
}

void payload_free(Payload *payload)
{
        g_free(payload->text);
        g_free(payload->params);
        g_free(payload);
}

const char *payload_get_method(const Payload *payload)
{
        return payload->kind == PAYLOAD_DICT ? "EchoDict" : "EchoString";
}

const char *payload_get_params(const Payload *payload)
{
        return payload->params;
}

/* ---- D-Bus ---- */

static int append_value(sd_bus_message *m, char type, const char *text, double number)
{
        switch (type) {
        case 'b':
        case 'u':
        case 'i': return sd_bus_message_append_basic(m, type, &(int32_t){(int32_t)number});
        case 'x':
        case 't': return sd_bus_message_append_basic(m, type, &(int64_t){(int64_t)number});
        case 'd': return sd_bus_message_append_basic(m, type, &number);
        default: return sd_bus_message_append_basic(m, type, text);
        }
}

static int append_entry(sd_bus_message *m, size_t i)
{
        char contents[] = {entries[i].type, '\0'};
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', entries[i].key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', contents);
        if (r >= 0)
                r = append_value(m, entries[i].type, entries[i].text, entries[i].number);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int payload_append(const Payload *payload, sd_bus_message *m)
{
        int r;

        if (payload->text)
                return sd_bus_message_append_basic(m, 's', payload->text);
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(entries); i++)
                r = append_entry(m, i);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_entry(sd_bus_message *m)
{
        const char *key, *contents;
        uint64_t value;
        char type;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r >= 0)
                r = sd_bus_message_peek_type(m, &type, &contents);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, contents[0], &value);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int payload_read(const Payload *payload, sd_bus_message *m)
{
        const char *text;
        int r;

        if (payload->text) {
                r = sd_bus_message_read_basic(m, 's', &text);
                return r < 0 ? r : strlen(text) == strlen(payload->text) ? 0 : -EBADMSG;
        }
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
                r = read_entry(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
