/* SPDX-License-Identifier: MIT */
#pragma once

/* Asks a running service what it offers. For tools: it blocks, though never for long: every answer
 * has its time, all have one together, and trees are cut where limits.h says. What cannot be had is
 * reported and left out. */

#include <systemd/sd-bus.h>

#include "gateway/survey.h"

/* Connects to "system", "session" or an address. Owned by the caller. */
int survey_open_bus(const char *bus, sd_bus **ret_bus, Error **ret_error);

/* Surveys the tree below each of `paths`, or without any the whole of it, walking through
 * introspection and asking the ObjectManager if there is one. A name that is a family stands for
 * the first member of it on the bus. Fails when the service cannot be had; -ETIMEDOUT when it does
 * not answer. */
int survey_live(sd_bus *bus, const char *name, char *const *paths, size_t n_paths, Survey *survey,
                Diagnostics *diagnostics, Error **ret_error);
