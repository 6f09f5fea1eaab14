/* SPDX-License-Identifier: MIT */
#pragma once

/* A D-Bus service with many objects (tree-peer.c), the gateway that shows it, and a client of the
 * broker that sees what arrives of it. */

#include "tests/bench/buses.h"

enum { TREE_PROPERTIES = 10 }; /* of each object */

typedef struct Tree Tree;

/* Starts the service, which shows nothing yet, and a fresh gateway; `wrapper` as in buses.h. */
Tree *tree_new(Buses *buses, const char *const *wrapper);
/* Ends them. Accepts NULL. */
void tree_free(Tree *tree);
/* The same, and returns what the gateway and its wrapper wrote to standard error; to be freed. */
char *tree_end(Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)

/* What the time from a request to its end at the other side has cost, in microseconds. */
typedef struct TreeCost {
        double usec; /* of the clock */
        double cpu;  /* of the gateway */
} TreeCost;

/* The service appears with so many objects; until all values are retained, and it is ready. */
TreeCost tree_show(Tree *tree, unsigned n_objects);
/* It goes; until nothing of it is retained any more. */
TreeCost tree_hide(Tree *tree);
/* One property of one object changes; until the value has come. Each time it is the next object. */
TreeCost tree_change(Tree *tree);

/* All that takes part to one CPU, or back to all of them. */
void tree_pin(const Tree *tree, bool pinned);

/* Memory that the gateway keeps for itself, in bytes. */
double tree_memory(const Tree *tree);
