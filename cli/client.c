/* SPDX-License-Identifier: MIT */

#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cli/duration.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"

enum { PASSWORD_MAXIMUM = 4096 };

/* ---- settings ---- */

/* The first line of the file, without its end; owned by the caller. */
static int read_password(const char *path, char **ret_password, Error **error)
{
        size_t length;
        int r;

        r = file_read(path, PASSWORD_MAXIMUM, ret_password, &length, error);
        if (r < 0) {
                error_prefix(error, "--password-file: ");
                return r;
        }
        (*ret_password)[strcspn(*ret_password, "\r\n")] = '\0';
        if (**ret_password)
                return 0;
        free(STEAL(*ret_password));
        return error_set(error, -EINVAL, "--password-file: no password in the first line of %s",
                         path);
}

/* Options go before the URI, and the URI before the environment. */
static int choose_credentials(Client *client, Error **error)
{
        const Settings *settings = client->settings;
        const Address *address = &client->address;

        client->password_file = settings->password_file;
        if (settings->user) {
                client->user = settings->user;
        } else if (address->user) {
                client->user = address->user;
                client->has_password = address->has_password && !client->password_file;
        } else {
                client->user = settings->fallback_user;
        }
        /* A password in the environment is that of the user there, if one is. */
        if (!client->password_file && !client->has_password && client->user &&
            (!settings->fallback_user || !strcmp(client->user, settings->fallback_user)))
                client->password_file = settings->fallback_password_file;
        if (client->password_file && !client->user)
                return error_set(error, -EINVAL,
                                 "--password-file is given without a user: add --user");
        return 0;
}

static int set_credentials(Client *client, Error **error)
{
        CLEANUP_FREE char *password = NULL;
        int r;

        r = choose_credentials(client, error);
        if (r < 0 || !client->user || client->has_password)
                return r; /* nobody, or as the URI says */
        if (!client->password_file)
                return mqttrpc_bus_set_credentials(client->bus, client->user, NULL);
        r = read_password(client->password_file, &password, error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(client->bus, client->user, password);
        client->has_password = r >= 0;
        return r;
}

static int set_uri(Client *client, Error **error)
{
        const char *uri = client->settings->broker;
        CLEANUP_RPC_ERROR MqttRpcError *reason = NULL;
        int r;

        r = mqttrpc_bus_set_uri(client->bus, uri, &reason);
        if (r < 0)
                return error_set(error, r, "--broker: %s", mqttrpc_error_get_message(reason));
        return address_parse(uri, &client->address);
}

static int set_names(Client *client, Error **error)
{
        const Settings *settings = client->settings;
        int r = 0;

        if (mqttrpc_bus_set_root(client->bus, settings->root) < 0)
                return error_set(error, -EINVAL,
                                 "--root: '%.64s' is not a topic prefix: use levels of letters, "
                                 "digits, '_', '.' and '-', separated by '/'",
                                 settings->root);
        if (settings->caller && mqttrpc_bus_set_caller(client->bus, settings->caller) < 0)
                return error_set(error, -EINVAL,
                                 "--caller: '%.64s' is not a name: use letters, digits, '_', '.' "
                                 "and '-'",
                                 settings->caller);
        if (settings->client_id)
                r = mqttrpc_bus_set_client_id(client->bus, settings->client_id);
        return r;
}

static int set_tls(Client *client, Error **error)
{
        const Settings *settings = client->settings;

        if (!settings->cert_file != !settings->key_file)
                return error_set(error, -EINVAL, "--cert and --key go together");
        if (client->address.tls)
                return mqttrpc_bus_set_tls(client->bus, settings->ca_file, settings->cert_file,
                                           settings->key_file);
        /* Who names certificates does not want to send in the clear. In the environment and in
         * files they may be for another broker. */
        if (settings->ca_file == settings->fallback_ca_file &&
            settings->cert_file == settings->fallback_cert_file &&
            settings->key_file == settings->fallback_key_file)
                return 0;
        return error_set(error, -EINVAL,
                         "--ca, --cert and --key are for mqtts:// brokers, this one is not");
}

/* ---- life ---- */

static void on_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                     void *userdata)
{
        Client *client = userdata;

        if (state == MQTTRPC_STATE_CONNECTED)
                client->settled = true;
        if (state != MQTTRPC_STATE_WAITING || client->refusal)
                return;
        client->settled = true;
        client->refusal = mqttrpc_error_new(mqttrpc_error_get_code(reason), "%s",
                                            mqttrpc_error_get_message(reason));
}

static int watch_signals(Client *client)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        client->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return client->signal_fd < 0 ? -errno : 0;
}

static int set_up(Client *client, Error **error)
{
        const Settings *settings = client->settings;
        int r;

        r = mqttrpc_bus_new(&client->bus);
        if (r >= 0)
                r = set_uri(client, error);
        if (r >= 0)
                r = set_credentials(client, error);
        if (r >= 0)
                r = set_names(client, error);
        if (r >= 0)
                r = set_tls(client, error);
        if (r >= 0)
                r = mqttrpc_bus_set_protocol(client->bus, (int)settings->protocol);
        if (r >= 0)
                r = mqttrpc_bus_set_qos(client->bus, (int)settings->qos);
        if (r >= 0)
                r = watch_signals(client);
        if (r >= 0)
                mqttrpc_bus_set_state_handler(client->bus, on_state, client);
        return r;
}

int client_init(Client *client, const Settings *settings, Error **error)
{
        Error *reason = NULL;
        int r;

        *client = (Client){.settings = settings, .signal_fd = -1};
        r = set_up(client, &reason);
        if (r >= 0)
                return 0;
        if (!reason)
                error_set_errno(&reason, r, "cannot set up the connection");
        client_done(client);
        *error = reason;
        return r;
}

void client_done(Client *client)
{
        if (client->bus)
                mqttrpc_bus_close(client->bus);
        mqttrpc_bus_unref(client->bus);
        mqttrpc_error_free(client->refusal);
        address_done(&client->address);
        if (client->signal_fd >= 0)
                close(client->signal_fd);
        *client = (Client){.signal_fd = -1};
}

/* ---- waiting ---- */

static int read_signal(Client *client)
{
        struct signalfd_siginfo info;

        if (read(client->signal_fd, &info, sizeof(info)) != sizeof(info))
                return 0;
        client->signal = (int)info.ssi_signo;
        return -EINTR;
}

/* Sleeps until the bus has something to do, a signal comes, or the time is over. */
static int wait_event(Client *client, uint64_t until)
{
        struct pollfd fds[] = {
                {.fd = client->signal_fd, .events = POLLIN},
                {.fd = mqttrpc_bus_get_fd(client->bus)},
        };
        uint64_t now = clock_now(), due, left;
        struct timespec timeout;

        if (fds[1].fd >= 0)
                fds[1].events = (short)mqttrpc_bus_get_events(client->bus);
        mqttrpc_bus_get_timeout(client->bus, &due);
        due = MIN(due, until);
        left = due > now ? due - now : 0;
        timeout.tv_sec = (time_t)(left / USEC_PER_SEC);
        timeout.tv_nsec = (long)(left % USEC_PER_SEC * 1000);
        if (ppoll(fds, ARRAY_SIZE(fds), due == USEC_INFINITY ? NULL : &timeout, NULL) < 0)
                return errno == EINTR ? 0 : -errno;
        return fds[0].revents ? read_signal(client) : 0;
}

/* Runs the bus until *done: 0; or the time is over: -ETIMEDOUT. */
static int run(Client *client, const bool *done, uint64_t until)
{
        int r;

        while (!*done) {
                r = mqttrpc_bus_process(client->bus);
                if (r < 0)
                        return r;
                if (r > 0 || *done)
                        continue;
                if (clock_now() >= until)
                        return -ETIMEDOUT;
                r = wait_event(client, until);
                if (r < 0)
                        return r;
        }
        return 0;
}

int client_connect(Client *client, MqttRpcError **ret_error)
{
        uint64_t timeout = client->settings->timeout_usec;
        int r;

        if (timeout == 0)
                timeout = DEFAULT_CONNECT_USEC;
        r = mqttrpc_bus_open(client->bus, ret_error);
        if (r < 0)
                return r;
        r = run(client, &client->settled, clock_now() + timeout);
        if (r == -ETIMEDOUT) {
                CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

                duration_write(&text, timeout);
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_DISCONNECTED,
                                         "broker %s: no answer in time, within %s",
                                         client->address.host, buffer_text(&text));
        }
        if (r >= 0 && client->refusal) {
                r = mqttrpc_error_get_errno(client->refusal);
                *ret_error = STEAL(client->refusal);
        }
        return r;
}

/* ---- calls ---- */

typedef struct Wait {
        bool done;
        MqttRpcReply *reply;
} Wait;

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        Wait *wait = userdata;

        wait->done = true;
        wait->reply = mqttrpc_reply_ref(reply);
        return 0;
}

/* Waits for the end of what was started with on_reply() and `wait`. */
static int await_reply(Client *client, MqttRpcSlot *slot, Wait *wait, MqttRpcReply **ret_reply)
{
        int r;

        r = run(client, &wait->done, USEC_INFINITY); /* the library keeps the deadline */
        mqttrpc_slot_unref(slot);
        if (r < 0) {
                if (wait->reply)
                        mqttrpc_reply_unref(wait->reply);
                return r;
        }
        *ret_reply = wait->reply;
        return 0;
}

int client_call(Client *client, const ClientCall *call, MqttRpcReply **ret_reply,
                MqttRpcError **ret_error)
{
        MqttRpcSlot *slot = NULL;
        Wait wait = {};
        int r;

        r = mqttrpc_call_async(client->bus, &slot, call->service, call->object, call->method,
                               call->params, call->timeout_usec, MQTTRPC_CALL_DEFAULT, on_reply,
                               &wait, ret_error);
        return r < 0 ? r : await_reply(client, slot, &wait, ret_reply);
}

/* At QoS 0 there is nobody to say that it has arrived. */
static int notify_unacknowledged(Client *client, const ClientCall *call, MqttRpcError **ret_error)
{
        uint64_t until = clock_now() + call->timeout_usec;
        int r;

        r = mqttrpc_notify(client->bus, call->service, call->object, call->method, call->params,
                           MQTTRPC_CALL_QOS0, ret_error);
        while (r >= 0 && (mqttrpc_bus_get_events(client->bus) & POLLOUT)) {
                if (clock_now() >= until)
                        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                                 "the broker does not take the message");
                r = wait_event(client, until);
                if (r >= 0)
                        r = mqttrpc_bus_process(client->bus);
        }
        if (r >= 0 && client->refusal) {
                r = mqttrpc_error_get_errno(client->refusal);
                *ret_error = STEAL(client->refusal);
        }
        return MIN(r, 0);
}

int client_notify(Client *client, const ClientCall *call, MqttRpcReply **ret_reply,
                  MqttRpcError **ret_error)
{
        MqttRpcSlot *slot = NULL;
        Wait wait = {};
        int r;

        if (client->settings->qos == 0)
                return notify_unacknowledged(client, call, ret_error);
        r = mqttrpc_notify_ack(client->bus, &slot, call->service, call->object, call->method,
                               call->params, call->timeout_usec, on_reply, &wait, ret_error);
        return r < 0 ? r : await_reply(client, slot, &wait, ret_reply);
}

/* ---- watching ---- */

int client_wait(Client *client, const bool *done, uint64_t until, MqttRpcError **ret_error)
{
        int r = 0;

        while (!*done && !client->refusal) {
                r = mqttrpc_bus_process(client->bus);
                if (r == 0 && !*done && !client->refusal)
                        r = clock_now() >= until ? -ETIMEDOUT : wait_event(client, until);
                if (r < 0)
                        return r;
        }
        if (*done)
                return 0;
        r = mqttrpc_error_get_errno(client->refusal);
        *ret_error = STEAL(client->refusal);
        return r;
}

typedef struct Arrival {
        bool done;
        MqttRpcError *error;
} Arrival;

static void on_synced(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        Arrival *arrival = userdata;

        arrival->done = true;
        if (error)
                arrival->error = mqttrpc_error_new(mqttrpc_error_get_code(error), "%s",
                                                   mqttrpc_error_get_message(error));
}

int client_sync(Client *client, uint64_t until, MqttRpcError **ret_error)
{
        MqttRpcSlot *slot = NULL;
        Arrival arrival = {};
        int r;

        r = mqttrpc_bus_sync_async(client->bus, &slot, on_synced, &arrival);
        if (r < 0)
                return r;
        r = client_wait(client, &arrival.done, until, ret_error);
        mqttrpc_slot_unref(slot);
        if (r == -ETIMEDOUT)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_TIMEOUT,
                                         "the broker has not sent all it keeps in time");
        if (r >= 0 && arrival.error) {
                r = mqttrpc_error_get_errno(arrival.error);
                *ret_error = STEAL(arrival.error);
        }
        mqttrpc_error_free(arrival.error);
        return r;
}

int client_sleep(Client *client, uint64_t until_usec)
{
        bool never = false;
        int r;

        r = run(client, &never, until_usec);
        return r == -ETIMEDOUT ? 0 : r;
}
