/* SPDX-License-Identifier: MIT */
#pragma once

/* The top object: the event loop, the connections to the MQTT broker and the D-Bus buses, the
 * mappings, and what is exposed by them. Everything is made in gateway_new(), connected in
 * gateway_run(), and taken down in the reverse order in gateway_free(). */

#include "gateway/config.h"
#include "gateway/mapping.h"

typedef struct Gateway Gateway;

/* Loads the mappings, logging what is wrong with them, and prepares everything that can fail for
 * reasons of configuration. The configuration is borrowed. */
int gateway_new(const GatewayConfig *config, Gateway **ret_gateway, Error **ret_error);
Gateway *gateway_free(Gateway *gateway);

/* Connects and serves until SIGTERM or SIGINT: 0. Tells the service manager when both sides are
 * connected, and while the loop turns (sd_notify, watchdog). */
int gateway_run(Gateway *gateway, Error **ret_error);

/* Reads the mapping files again, as SIGHUP does too: services of files that have not changed, or
 * have become bad, are undisturbed; those of changed files end and begin anew; see
 * mapping_set_reload(). What is wrong is logged, and kept for the own service. Fails without memory
 * only, and then has changed nothing. Not to be called by what belongs to a mapped service. */
int gateway_reload(Gateway *gateway, MappingReload *ret_reload);
