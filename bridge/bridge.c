/* SPDX-License-Identifier: MIT */

#include "bridge/bridge.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "bridge/cloud-link.h"
#include "bridge/local-link.h"
#include "bridge/policy-load.h"
#include "bridge/service.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/notify.h"

/* How long the last words may take to reach the cloud. */
#define FAREWELL_USEC (UINT64_C(2) * USEC_PER_SEC)

enum { LOG_LEVEL_OFFSET = LOG_LEVEL_ERROR };

struct Bridge {
        Core core;
        const char *path;
        Policy *policy;
        UpState *state;
        UpEvents *events;
        DownCall *calls;
        LocalLink *local;
        CloudLink *cloud;
        BridgeService *service;
        int signal_fd;
        bool stopping;
        bool ready;             /* told to the service manager */
        uint64_t watchdog_usec; /* between signs of life; 0: none are wanted */
        uint64_t next_watchdog_usec;
};

/* ---- life ---- */

static int open_all(Bridge *bridge, Error **ret_error)
{
        int r;

        r = local_link_open(bridge->local, ret_error);
        if (r >= 0)
                r = up_events_open(bridge->events, ret_error);
        if (r >= 0)
                r = bridge_service_open(bridge->service, ret_error);
        return r;
}

static int make_parts(Bridge *bridge)
{
        Core *core = &bridge->core;
        int r;

        r = up_state_new(core, &bridge->state);
        if (r >= 0)
                r = up_events_new(core, &bridge->events);
        if (r >= 0)
                r = down_call_new(core, &bridge->calls);
        if (r >= 0)
                r = local_link_new(core, bridge->state, bridge->calls, &bridge->local);
        if (r >= 0)
                r = cloud_link_new(core, bridge->state, bridge->events, bridge->calls,
                                   &bridge->cloud);
        if (r >= 0)
                r = bridge_service_new(core, bridge->state, bridge->events, &bridge->service);
        return r;
}

static int open_store(Bridge *bridge, Error **ret_error)
{
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = up_events_open_store(bridge->events, &error);
        if (r == -EBUSY)
                return error_set(ret_error, r, "%s", error_text(error));
        if (r < 0)
                core_complain(&bridge->core, "%s; events stay with the local broker",
                              error_text(error));
        return 0;
}

static int take_signals(Bridge *bridge)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error to handle, as a full disk is */
        bridge->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return bridge->signal_fd < 0 ? -errno : 0;
}

static uint64_t watchdog_from_environment(void)
{
        const char *text = getenv("WATCHDOG_USEC");
        uint64_t usec = 0;

        if (text && json_parse_uint64(text, strlen(text), &usec) >= 0)
                return usec / 2;
        return 0;
}

int bridge_new(const char *path, Policy *policy, Bridge **ret_bridge, Error **ret_error)
{
        Bridge *bridge = calloc(1, sizeof(*bridge));
        int r;

        if (!bridge)
                return error_set(ret_error, -ENOMEM, "out of memory");
        *bridge = (Bridge){.path = path, .signal_fd = -1, .core = {.policy = policy}};
        bridge->watchdog_usec = watchdog_from_environment();
        log_set_level((LogLevel)(LOG_LEVEL_OFFSET + policy->log_level));
        r = make_parts(bridge);
        if (r < 0)
                error_set_errno(ret_error, r, "cannot start");
        if (r >= 0)
                r = audit_new(policy->audit_file, &bridge->core.audit, ret_error);
        if (r >= 0)
                r = open_store(bridge, ret_error);
        if (r >= 0)
                r = take_signals(bridge);
        if (r >= 0)
                r = open_all(bridge, ret_error);
        if (r >= 0)
                r = cloud_link_open(bridge->cloud, ret_error);
        if (r < 0) {
                bridge_free(bridge);
                return r;
        }
        bridge->policy = policy;
        *ret_bridge = bridge;
        return 0;
}

Bridge *bridge_free(Bridge *bridge)
{
        if (!bridge)
                return NULL;
        bridge_service_free(bridge->service);
        mqtt_free(bridge->core.cloud);
        mqtt_free(bridge->core.local);
        mqtt_free(bridge->core.events);
        cloud_link_free(bridge->cloud);
        local_link_free(bridge->local);
        down_call_free(bridge->calls);
        up_events_free(bridge->events);
        up_state_free(bridge->state);
        store_free(bridge->core.store);
        audit_free(bridge->core.audit);
        policy_free(bridge->policy);
        free(bridge->core.last_error);
        free(bridge->core.local_error);
        free(bridge->core.cloud_error);
        if (bridge->signal_fd >= 0)
                close(bridge->signal_fd);
        free(bridge);
        return NULL;
}

/* ---- another policy ---- */

static bool is_same(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* Files may have other contents: then too a new connection is what is wanted, but only if they are
 * other files; who has renewed a certificate in place restarts. */
static bool same_endpoint(const Endpoint *a, const Endpoint *b)
{
        return is_same(a->uri, b->uri) && is_same(a->user, b->user) &&
               is_same(a->password_file, b->password_file) && is_same(a->ca_file, b->ca_file) &&
               is_same(a->cert_file, b->cert_file) && is_same(a->key_file, b->key_file) &&
               is_same(a->alpn, b->alpn) && is_same(a->psk_file, b->psk_file) &&
               is_same(a->psk_identity, b->psk_identity) && is_same(a->client_id, b->client_id) &&
               a->keepalive_s == b->keepalive_s && a->protocol == b->protocol;
}

static int change_links(Bridge *bridge, const Policy *before, Error **ret_error)
{
        const Policy *policy = bridge->policy;
        bool same_names =
                is_same(before->root, policy->root) && is_same(before->name, policy->name);
        int r = 0;

        mqtt_adopt(bridge->core.local, &policy->local);
        mqtt_adopt(bridge->core.events, &policy->local);
        mqtt_adopt(bridge->core.cloud, &policy->cloud);
        if (!same_names || !same_endpoint(&before->local, &policy->local))
                r = open_all(bridge, ret_error);
        else
                local_link_apply_policy(bridge->local);
        up_state_apply_policy(bridge->state);
        up_events_apply_policy(bridge->events);
        if (r >= 0 && (!same_names || !is_same(before->node, policy->node) ||
                       before->quirks.retain != policy->quirks.retain ||
                       !same_endpoint(&before->cloud, &policy->cloud)))
                r = cloud_link_open(bridge->cloud, ret_error);
        return r;
}

static int change_policy(Bridge *bridge, Policy *policy, Error **ret_error)
{
        CLEANUP_POLICY Policy *before = bridge->policy;
        Audit *audit = NULL;
        int r;

        if (!is_same(before->queue.path, policy->queue.path)) {
                before = NULL;
                return error_set(ret_error, -EINVAL, "another queue.path needs a restart");
        }
        r = audit_new(policy->audit_file, &audit, ret_error);
        if (r < 0) {
                before = NULL;
                return r;
        }
        audit_free(bridge->core.audit);
        bridge->core.audit = audit;
        bridge->policy = policy;
        bridge->core.policy = policy;
        down_call_apply_policy(bridge->calls);
        log_set_level((LogLevel)(LOG_LEVEL_OFFSET + policy->log_level));
        return change_links(bridge, before, ret_error);
}

static void reload(Bridge *bridge)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        Policy *policy = NULL;
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        notify_send("RELOADING=1\nMONOTONIC_USEC=%llu",
                    (unsigned long long)now.tv_sec * USEC_PER_SEC +
                            (unsigned long long)now.tv_nsec / 1000);
        if (policy_load(bridge->path, &diagnostics, &policy) < 0) {
                for (size_t i = 0; i < diagnostics.count; i++)
                        log_error("%s", diagnostics.items[i].text);
                core_complain(&bridge->core, "the policy was not read again: %s has errors",
                              bridge->path);
        } else if (change_policy(bridge, policy, &error) < 0) {
                core_complain(&bridge->core, "the policy is not in force as a whole: %s",
                              error_text(error));
                if (bridge->policy != policy)
                        policy_free(policy);
        } else {
                log_notice("the policy was read again");
        }
        notify_send("READY=1");
}

/* ---- loop ---- */

static void take_signal(Bridge *bridge)
{
        struct signalfd_siginfo info;

        while (read(bridge->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo == SIGHUP)
                        reload(bridge);
                else
                        bridge->stopping = true;
        }
}

static void update_status(Bridge *bridge, uint64_t now)
{
        if (!bridge->ready && bridge->core.local_ready) {
                bridge->ready = true;
                log_info("ready");
                notify_send("READY=1\nSTATUS=in touch with the local broker");
        }
        if (bridge->watchdog_usec > 0 && now >= bridge->next_watchdog_usec) {
                bridge->next_watchdog_usec = now + bridge->watchdog_usec;
                notify_send("WATCHDOG=1");
        }
}

enum { POLL_SIGNAL, POLL_LOCAL, POLL_EVENTS, POLL_CLOUD, POLL_SERVICE, POLL_MAX };

/* Does all that is due; returns when something will be. */
static uint64_t work(Bridge *bridge, uint64_t now)
{
        uint64_t wake;

        wake = cloud_link_process(bridge->cloud, now);
        wake = MIN(wake, local_link_process(bridge->local, now));
        wake = MIN(wake, up_state_process(bridge->state, now));
        wake = MIN(wake, up_events_process(bridge->events, now));
        wake = MIN(wake, down_call_process(bridge->calls, now));
        wake = MIN(wake, bridge_service_process(bridge->service, now));
        if (bridge->watchdog_usec > 0)
                wake = MIN(wake, bridge->next_watchdog_usec);
        wake = MIN(wake, mqtt_timeout(bridge->core.local));
        wake = MIN(wake, mqtt_timeout(bridge->core.events));
        return MIN(wake, mqtt_timeout(bridge->core.cloud));
}

static int wait_msec(uint64_t wake, uint64_t now)
{
        if (wake <= now)
                return 0;
        return (int)MIN((wake - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC, UINT64_C(60000));
}

static int turn(Bridge *bridge)
{
        Mqtt *links[] = {bridge->core.local, bridge->core.events, bridge->core.cloud};
        MqttRpcBus *bus = bridge_service_get_bus(bridge->service);
        struct pollfd fds[POLL_MAX] = {[POLL_SIGNAL] = {bridge->signal_fd, POLLIN, 0}};
        uint64_t now = clock_now(), wake = work(bridge, now), bus_wake = USEC_INFINITY;

        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                fds[POLL_LOCAL + i] =
                        (struct pollfd){mqtt_fd(links[i]), mqtt_poll_events(links[i]), 0};
        fds[POLL_SERVICE] = (struct pollfd){-1, 0, 0};
        if (bus) {
                fds[POLL_SERVICE].fd = mqttrpc_bus_get_fd(bus);
                fds[POLL_SERVICE].events = (short)MAX(mqttrpc_bus_get_events(bus), 0);
                (void)mqttrpc_bus_get_timeout(bus, &bus_wake);
        }
        if (poll(fds, POLL_MAX, wait_msec(MIN(wake, bus_wake), now)) < 0 && errno != EINTR)
                return -errno;
        now = clock_now();
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                mqtt_process(links[i], fds[POLL_LOCAL + i].revents, now);
        mqtt_flush(bridge->core.local); /* calls, which have just come from the cloud */
        if (bus && fds[POLL_SERVICE].revents == 0 && now < bus_wake)
                bus = NULL; /* each look costs a system call */
        for (unsigned i = 0; bus && i < LIMIT_BRIDGE_SERVICE_TURN; i++)
                if (mqttrpc_bus_process(bus) <= 0)
                        break;
        if (fds[POLL_SIGNAL].revents)
                take_signal(bridge);
        update_status(bridge, now);
        return 0;
}

static void say_farewell(Bridge *bridge)
{
        uint64_t end = clock_now() + FAREWELL_USEC;

        notify_send("STOPPING=1");
        bridge->core.paused = true;
        cloud_link_say_offline(bridge->cloud);
        while (bridge->core.cloud_ready && mqtt_count_unanswered(bridge->core.cloud) > 0 &&
               clock_now() < end) {
                struct pollfd fd = {mqtt_fd(bridge->core.cloud),
                                    mqtt_poll_events(bridge->core.cloud), 0};

                if (poll(&fd, 1, wait_msec(end, clock_now())) < 0 && errno != EINTR)
                        return;
                mqtt_process(bridge->core.cloud, fd.revents, clock_now());
        }
}

int bridge_run(Bridge *bridge, Error **ret_error)
{
        int r = 0;

        while (r >= 0 && !bridge->stopping)
                r = turn(bridge);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot wait");
        say_farewell(bridge);
        return 0;
}
