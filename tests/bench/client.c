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

void client_free(Client *client)
{
        client->ops->free(client);
}
