/* SPDX-License-Identifier: MIT */

#include "gateway/provider.h"

ProviderState provider_find(const ProviderView *view)
{
        if (view->dbus_has_name && view->mqtt_is_up)
                return view->dbus_is_shown || !view->is_queued ? PROVIDER_TAKING_OVER
                                                               : PROVIDER_CONFLICT;
        if (view->dbus_has_name)
                return PROVIDER_DBUS;
        switch (view->facade) {
        case FACADE_RELEASING:
        case FACADE_SUSPENDED: return PROVIDER_RELEASED;
        case FACADE_SERVING: return view->daemon_failed ? PROVIDER_CONFLICT : PROVIDER_MQTT;
        case FACADE_LOST: return view->mqtt_is_up ? PROVIDER_TAKING_OVER : PROVIDER_HELD;
        default: return view->mqtt_is_up ? PROVIDER_TAKING_OVER : PROVIDER_NONE;
        }
}

const char *provider_state_name(ProviderState state)
{
        static const char *const names[] = {
                [PROVIDER_NONE] = "none",
                [PROVIDER_DBUS] = "dbus",
                [PROVIDER_TAKING_OVER] = "taking-over",
                [PROVIDER_MQTT] = "mqtt",
                [PROVIDER_HELD] = "held",
                [PROVIDER_RELEASED] = "released",
                [PROVIDER_CONFLICT] = "conflict",
        };

        return names[state];
}
