/* SPDX-License-Identifier: MIT */

#include "tests/bench/client.h"

void client_call(Client *client)
{
        client->ops->call(client);
}

void client_run(Client *client, unsigned calls, unsigned in_flight)
{
        client->ops->run(client, calls, in_flight);
}

void client_note_start(const Client *client, GQueue *starts)
{
        if (client->usec)
                g_queue_push_tail(starts, GSIZE_TO_POINTER(g_get_monotonic_time()));
}

void client_note_end(const Client *client, GQueue *starts)
{
        double usec;

        if (!client->usec)
                return;
        usec = (double)(g_get_monotonic_time() -
                        (gint64)GPOINTER_TO_SIZE(g_queue_pop_head(starts)));
        g_array_append_val(client->usec, usec);
}

void client_free(Client *client)
{
        client->ops->free(client);
}
