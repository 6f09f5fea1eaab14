/* SPDX-License-Identifier: MIT */

/* mqttrpc ping: calls of rpc.ping one after the other. An answer that does not come in time counts
 * as lost; any other error ends it, since the next ping would fare the same. */

#include <inttypes.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/names.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "common/clock.h"

/* How long to wait for one answer when no --timeout is given. */
#define PING_TIMEOUT_USEC (5 * USEC_PER_SEC)

enum { DEFAULT_PINGS = 4 };

typedef struct Ping {
        Client client;
        ClientCall call;
        uint64_t sent;
        uint64_t answered;
        uint64_t minimum; /* microseconds, all three */
        uint64_t maximum;
        uint64_t sum;
} Ping;

static void ping_done(Ping *ping)
{
        client_done(&ping->client);
}

static double msec(uint64_t usec)
{
        return (double)usec / (double)USEC_PER_MSEC;
}

static int print_answer(const Ping *ping, uint64_t usec)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);

        if (ping->client.settings->json)
                buffer_printf(&line, "{\"seq\":%" PRIu64 ",\"time_ms\":%.3f}\n", ping->sent,
                              msec(usec));
        else
                buffer_printf(&line, "%s: seq=%" PRIu64 " time=%.3f ms\n", ping->call.service,
                              ping->sent, msec(usec));
        return report_print(&line);
}

static int print_lost(const Ping *ping, const MqttRpcError *error)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);

        if (ping->client.settings->json) {
                buffer_printf(&line, "{\"seq\":%" PRIu64 ",", ping->sent);
                report_write_error_member(&line, error);
                buffer_append_text(&line, "}\n");
        } else {
                buffer_printf(&line, "%s: seq=%" PRIu64 " no answer in time\n", ping->call.service,
                              ping->sent);
        }
        return report_print(&line);
}

/* Minimum, average, maximum; nothing if one ping was all there was. */
static int print_summary(const Ping *ping)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);
        bool json = ping->client.settings->json;

        if (ping->sent < 2)
                return STATUS_OK;
        buffer_printf(&line,
                      json ? "{\"sent\":%" PRIu64 ",\"answered\":%" PRIu64
                           : "%" PRIu64 " sent, %" PRIu64 " answered",
                      ping->sent, ping->answered);
        if (ping->answered > 0)
                buffer_printf(&line,
                              json ? ",\"min_ms\":%.3f,\"avg_ms\":%.3f,\"max_ms\":%.3f"
                                   : ", min/avg/max %.3f/%.3f/%.3f ms",
                              msec(ping->minimum), msec(ping->sum) / (double)ping->answered,
                              msec(ping->maximum));
        buffer_append_text(&line, json ? "}\n" : "\n");
        return report_print(&line);
}

static void count_answer(Ping *ping, uint64_t usec)
{
        if (ping->answered++ == 0)
                ping->minimum = usec;
        ping->minimum = MIN(ping->minimum, usec);
        ping->maximum = MAX(ping->maximum, usec);
        ping->sum += usec;
}

/* One ping. Returns the ExitStatus, with STATUS_TIMEOUT for a lost one. */
static int ping_once(Ping *ping)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        uint64_t start = clock_now(), usec;
        const MqttRpcError *reason;
        int r, status;

        ping->sent++;
        r = client_call(&ping->client, &ping->call, &reply, &error);
        usec = clock_now() - start;
        reason = r < 0 ? error : mqttrpc_reply_get_error(reply);
        if (r >= 0 && !reason) {
                count_answer(ping, usec);
                return print_answer(ping, usec);
        }
        if (!reason || mqttrpc_error_get_code(reason) != MQTTRPC_ERROR_TIMEOUT)
                return report_failed_call(&ping->client, &ping->call, r, reason);
        status = print_lost(ping, reason);
        return status == STATUS_OK ? STATUS_TIMEOUT : status;
}

/* Returns true if the next ping is due, false if a signal came. */
static bool wait_interval(Ping *ping, uint64_t start)
{
        return client_sleep(&ping->client, start + ping->client.settings->interval_usec) >= 0;
}

static int ping_all(Ping *ping)
{
        const Settings *settings = ping->client.settings;
        uint64_t count = settings->count == SETTINGS_NO_COUNT ? DEFAULT_PINGS : settings->count;
        uint64_t start;
        int status;

        do {
                start = clock_now();
                status = ping_once(ping);
                if (status != STATUS_OK && status != STATUS_TIMEOUT)
                        break;
        } while ((count == 0 || ping->sent < count) && wait_interval(ping, start));
        if (status == STATUS_OK || status == STATUS_TIMEOUT || ping->client.signal) {
                int r = print_summary(ping);

                if (r != STATUS_OK)
                        return r;
        }
        if (ping->client.signal)
                return 128 + ping->client.signal;
        return status == STATUS_OK && ping->answered < ping->sent ? STATUS_TIMEOUT : status;
}

int cmd_ping(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP(ping_done) Ping ping = {.client = {.signal_fd = -1}};
        CLEANUP_RPC_ERROR MqttRpcError *refusal = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int r;

        ping.call = (ClientCall){
                .service = operands[0],
                .object = "-",
                .method = "rpc.ping",
                .timeout_usec = settings->timeout_usec ? settings->timeout_usec : PING_TIMEOUT_USEC,
        };
        r = names_check(ping.call.service, ping.call.object, ping.call.method, &error);
        if (r >= 0)
                r = client_init(&ping.client, settings, &error);
        if (r < 0)
                return error ? report_usage("ping", error) : report_internal(r);
        r = client_connect(&ping.client, &refusal);
        report_command_line(&ping.client, &ping.call, false);
        if (r < 0)
                return report_no_connection(&ping.client, r, refusal);
        return ping_all(&ping);
}
