/* SPDX-License-Identifier: MIT */
#pragma once

/* How far a service is on its way off D-Bus (docs/MIGRATION.md): who still uses it there, what a
 * facade of it cannot do, and what to do next. */

#include "gateway/emit-json.h"
#include "gateway/own-instance.h"
#include "gateway/usage.h"

/* What stands between a member and a facade. */
typedef enum MigrationGap {
        GAP_TYPES,       /* not known: it is not offered */
        GAP_DESCRIPTORS, /* which no broker carries: a facade cannot have it */
        GAP_CALLBACK,    /* the service calls objects of its caller back */
        GAP_UNICAST,     /* a signal to one client only: everybody gets it, or nobody */
        GAP_THINNED,     /* a signal or property that the mapping lets pass only in part */
        GAP_VARIANT,     /* the native service has to say the types in it */
        GAP_CALLER,      /* of the whole service: it sees the gateway as the caller */
} MigrationGap;

typedef struct MigrationFinding {
        MigrationGap gap;
        bool is_guess;               /* the mapping does not say so */
        const MappingMember *member; /* NULL: the whole service; borrowed */
        const MappingObject *object;
} MigrationFinding;

typedef void (*MigrationHandler)(const MigrationFinding *finding, void *userdata);

/* Calls `each` for all there is, in the order of the mapping. Pure. */
void migration_find_gaps(const MappingService *mapping, MigrationHandler each, void *userdata);
/* A word for programs, "types", "descriptors", …; and a sentence for people. */
const char *migration_gap_name(MigrationGap gap);
const char *migration_gap_text(const MigrationFinding *finding);
/* Whether clients of D-Bus are sure to miss something, if they use it. */
bool migration_gap_is_loss(const MigrationFinding *finding);

/* What to do next: one or two sentences. `n_users` counts members that were used on D-Bus. */
const char *migration_next_step(MappingProvider provider, const char *state, unsigned n_users);

/* Emits the members "service", "bus_name", "provider", "state", "users" (as usage_write_entry()),
 * "users_left_out", "gaps", "gaps_left_out" and "next"; the object is the caller's. */
void migration_emit(EmitJson *emit, const OwnInstance *instance, const Usage *usage);
