/* SPDX-License-Identifier: MIT */
#pragma once

/* One blocking system call off the loop: a short-lived thread runs a function and then makes a file
 * descriptor readable. Used for connecting to a host by name, because resolving can block for many
 * seconds and libmosquitto resolves inside its connect. The function must touch nothing that the
 * loop touches until the work is collected. */

typedef struct Offload Offload;

/* Starts `run(data)` in a thread. -ENOMEM, -EAGAIN or what eventfd() said. */
int offload_start(int (*run)(void *data), void (*release)(void *data), void *data,
                  Offload **ret_offload);

/* Readable when the work is done. */
int offload_fd(const Offload *offload);

/* Once readable: > 0, and the function's return value; else 0. */
int offload_collect(Offload *offload, int *ret_result);

/* Frees it after the work was collected; the data is the caller's again. Returns NULL. */
Offload *offload_free(Offload *offload);

/* Gives the work up and frees it, collected or not, without waiting. Whoever is last, the thread or
 * this function, calls release(data). Returns NULL. */
Offload *offload_abandon(Offload *offload);
