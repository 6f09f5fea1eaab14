/* SPDX-License-Identifier: MIT */

/* Prints what goes on: services that come and go, properties, signals.
 *
 *         cc monitor.c $(pkg-config --cflags --libs mqttrpc) -o monitor
 *         ./monitor unix:///run/mqttrpc/broker.sock USER PASSWORD [SERVICE]
 *
 * Any user may read these unless the broker's ACL says otherwise. */

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <string.h>

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        (void)userdata;
        printf("service %s: %s\n", mqttrpc_service_event_get_service(event),
               mqttrpc_service_state_to_name(mqttrpc_service_event_get_state(event)));
        fflush(stdout);
}

/* The first one is what the broker has kept. A value is stale while its service is away. */
static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        const char *value = mqttrpc_property_event_get_value(event, NULL);

        (void)userdata;
        printf("property %s/%s/%s: %s%s\n", mqttrpc_property_event_get_service(event),
               mqttrpc_property_event_get_object(event), mqttrpc_property_event_get_property(event),
               value ? value : "gone",
               value && mqttrpc_property_event_is_stale(event) ? " (stale)" : "");
        fflush(stdout);
}

static void on_signal(const MqttRpcSignal *signal, void *userdata)
{
        (void)userdata;
        if (mqttrpc_signal_get_lost(signal) > 0)
                printf("%llu signals were lost\n",
                       (unsigned long long)mqttrpc_signal_get_lost(signal));
        printf("signal %s/%s/%s%s\n", mqttrpc_signal_get_service(signal),
               mqttrpc_signal_get_object(signal), mqttrpc_signal_get_name(signal),
               mqttrpc_signal_get_params(signal, NULL));
        fflush(stdout);
}

static int watch(MqttRpcBus *bus, const char *service, MqttRpcError **ret_error)
{
        int r;

        /* NULL for a name stands for any. */
        r = mqttrpc_watch_service(bus, NULL, service, on_service, NULL, ret_error);
        if (r >= 0)
                r = mqttrpc_watch_property(bus, NULL, service, NULL, NULL, on_property, NULL,
                                           ret_error);
        if (r >= 0)
                r = mqttrpc_match_signal(bus, NULL, service, NULL, NULL, on_signal, NULL,
                                         ret_error);
        return r;
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus = NULL;
        int r;

        if (argc != 4 && argc != 5) {
                fprintf(stderr, "usage: %s URI USER PASSWORD [SERVICE]\n", argv[0]);
                return 2;
        }
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = watch(bus, argc == 5 ? argv[4] : NULL, &error);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, &error);
        while (r >= 0) {
                r = mqttrpc_bus_process(bus);
                if (r == 0)
                        r = mqttrpc_bus_wait(bus, UINT64_MAX);
        }
        fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        return 1;
}
