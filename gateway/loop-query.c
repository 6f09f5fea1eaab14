/* SPDX-License-Identifier: MIT */

#include "gateway/loop-query.h"

#include <stdbool.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/util.h"

int loop_query(sd_bus *bus, const char *name, sd_bus_message_handler_t on_answer, void *userdata,
               sd_bus_slot **ret_slot)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, name, LOOP_QUERY_PATH, LOOP_QUERY_INTERFACE,
                                           LOOP_QUERY_MEMBER);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        return r < 0 ? r
                     : sd_bus_call_async(bus, ret_slot, m, on_answer, userdata, LIMIT_FETCH_USEC);
}

const char *loop_query_service(sd_bus_message *answer)
{
        const char *service;

        if (sd_bus_message_is_method_error(answer, NULL) ||
            sd_bus_message_read(answer, "s", &service) <= 0)
                return NULL;
        return service;
}

void loop_query_log(const char *mapped, const char *bus_name, const char *service)
{
        log_error("%s: loop: %s is what a gateway offers on D-Bus for the MQTT service %s, so it "
                  "is not shown on MQTT again. Take one of the two mappings away, or make this "
                  "one's provider \"mqtt\"",
                  mapped, bus_name, service);
}
