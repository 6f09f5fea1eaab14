/* SPDX-License-Identifier: MIT */

#include "bridge/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

void core_complain(Core *core, const char *format, ...)
{
        char *text = NULL;
        unsigned left_out;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (!text)
                return;
        free(core->last_error);
        core->last_error = text;
        if (!log_limit_pass(&core->log_limit, clock_now(), &left_out))
                return;
        if (left_out > 0)
                log_warning("%u more warnings were left out", left_out);
        log_warning("%s", text);
}

void core_over_quota(Core *core)
{
        core->stats.refused_up++;
        mqtt_fail_long(core->cloud, "the cloud says that its quota is exceeded");
}

bool core_fits(const Core *core, const char *topic, size_t length)
{
        const Quirks *quirks = &core->policy->quirks;

        return length <= quirks->message_bytes && strlen(topic) <= quirks->topic_bytes &&
               (quirks->topic_levels == 0 || topic_count_levels(topic) <= quirks->topic_levels);
}
