/* SPDX-License-Identifier: MIT */

/* A service with a property to read, one to write, a signal, and two methods, one of which answers
 * later.
 *
 *         cc thermostat.c $(pkg-config --cflags --libs mqttrpc) -o thermostat
 *         ./thermostat unix:///run/mqttrpc/broker.sock USER PASSWORD
 *
 * The user must own the topics mb1/thermostat/#. From elsewhere:
 *
 *         mqttrpc call thermostat - prop.set.Target 21.5
 *         mqttrpc call thermostat - WaitTarget
 *         mqttrpc call thermostat - Calibrate reference=22 */

#define _POSIX_C_SOURCE 200809L

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SERVICE "thermostat"

enum { TICK_USEC = 50000, MAX_WAITING = 8 };

static const double step = 0.5; /* degrees in a tick */

typedef struct Room {
        MqttRpcBus *bus;
        double temperature, target;
        uint64_t tick_usec;                   /* the next one; UINT64_MAX: none, all is well */
        MqttRpcRequest *waiting[MAX_WAITING]; /* of WaitTarget, references; NULL: free */
} Room;

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- properties ---- */

static int get_temperature(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        Room *room = userdata;

        (void)ret_error;
        return mqttrpc_value_set(value, "d", room->temperature);
}

static int get_target(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        Room *room = userdata;

        (void)ret_error;
        return mqttrpc_value_set(value, "d", room->target);
}

/* That it is a number has been checked by the library, which also publishes the new value. */
static int set_target(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Room *room = userdata;
        double target;
        int r;

        r = mqttrpc_request_read(request, "d", &target);
        if (r < 0)
                return r;
        if (!(target >= 5 && target <= 30))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "degrees are from 5 to 30");
        room->target = target;
        if (room->temperature != target && room->tick_usec == UINT64_MAX)
                room->tick_usec = now_usec() + TICK_USEC;
        return mqttrpc_request_reply_values(request, "");
}

/* ---- methods ---- */

static int on_calibrate(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Room *room = userdata;
        double reference, error;
        int r;

        r = mqttrpc_request_read(request, "d", &reference);
        if (r < 0)
                return r;
        error = reference - room->temperature;
        if (!(error >= -5 && error <= 5))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "the sensor is not off by more than 5 degrees");
        room->temperature = reference;
        if (room->temperature != room->target && room->tick_usec == UINT64_MAX)
                room->tick_usec = now_usec() + TICK_USEC;
        r = mqttrpc_property_changed(room->bus, SERVICE, "-", "Temperature");
        if (r < 0)
                return r;
        return mqttrpc_request_reply_values(request, "d", error);
}

/* Keeps the request, and is answered by tick(). */
static int on_wait_target(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Room *room = userdata;

        if (room->temperature == room->target)
                return mqttrpc_request_reply_values(request, "d", room->temperature);
        for (int i = 0; i < MAX_WAITING; i++)
                if (!room->waiting[i]) {
                        room->waiting[i] = mqttrpc_request_ref(request);
                        return 0;
                }
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY, "too many are waiting");
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_PROPERTY("Temperature", "d", get_temperature, 0),
        MQTTRPC_WRITABLE_PROPERTY("Target", "d", get_target, set_target, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("Calibrate", "reference:d", "d", on_calibrate, 0),
        MQTTRPC_METHOD("WaitTarget", "", "d", on_wait_target, MQTTRPC_ACCESS_READ),
        MQTTRPC_SIGNAL("TargetReached", "degrees:d", 0),
        MQTTRPC_END,
};

/* ---- what goes on by itself ---- */

/* The signal goes first: who gets an answer has seen it by then. */
static int target_is_reached(Room *room)
{
        int r;

        room->tick_usec = UINT64_MAX;
        r = mqttrpc_emit_signal(room->bus, SERVICE, "-", "TargetReached", "d", room->temperature);
        /* A request may have been cancelled, or its time be over: then this answer is dropped. */
        for (int i = 0; i < MAX_WAITING; i++)
                if (room->waiting[i]) {
                        (void)mqttrpc_request_reply_values(room->waiting[i], "d",
                                                           room->temperature);
                        room->waiting[i] = mqttrpc_request_unref(room->waiting[i]);
                }
        return r;
}

static int tick(Room *room)
{
        double left = room->target - room->temperature;
        int r;

        room->tick_usec = now_usec() + TICK_USEC;
        if (left > step)
                room->temperature += step;
        else if (left < -step)
                room->temperature -= step;
        else
                room->temperature = room->target;
        r = mqttrpc_property_changed(room->bus, SERVICE, "-", "Temperature");
        if (r >= 0 && room->temperature == room->target)
                r = target_is_reached(room);
        return r;
}

static int run(Room *room)
{
        int r = 0;

        while (r >= 0) {
                uint64_t now = now_usec();

                if (room->tick_usec <= now) {
                        r = tick(room);
                        continue;
                }
                r = mqttrpc_bus_process(room->bus);
                if (r == 0)
                        r = mqttrpc_bus_wait(room->bus, room->tick_usec == UINT64_MAX
                                                                ? UINT64_MAX
                                                                : room->tick_usec - now);
        }
        return r;
}

/* Connecting may fail any number of times: the bus tries again by itself. */
static void on_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                     void *userdata)
{
        (void)bus;
        (void)userdata;
        if (state == MQTTRPC_STATE_WAITING)
                fprintf(stderr, "no connection: %s\n", mqttrpc_error_get_message(reason));
}

int main(int argc, char **argv)
{
        Room room = {.temperature = 20, .target = 20, .tick_usec = UINT64_MAX};
        MqttRpcError *error = NULL;
        int r;

        if (argc != 4) {
                fprintf(stderr, "usage: %s URI USER PASSWORD\n", argv[0]);
                return 2;
        }
        r = mqttrpc_bus_new(&room.bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(room.bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(room.bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_add_service(room.bus, NULL, SERVICE, vtable, &room, &error);
        if (r >= 0) {
                mqttrpc_bus_set_state_handler(room.bus, on_state, NULL);
                r = mqttrpc_bus_open(room.bus, &error);
        }
        if (r >= 0)
                r = run(&room);
        fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        for (int i = 0; i < MAX_WAITING; i++)
                mqttrpc_request_unref(room.waiting[i]);
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(room.bus);
        return 1;
}
