/* SPDX-License-Identifier: MIT */
#pragma once

/* What callgrind has written about one run of the gateway: instructions by the library whose code
 * they are, heap allocations by the library that asked for them, and what the gateway's own code
 * calls in other libraries. Two runs of different length give, by their difference, the cost of one
 * call; what starting and ending costs is not in it. */

#include <glib.h>

typedef struct Profile Profile;

/* Reads the file; ends the program if it is not one. */
Profile *profile_load(const char *path);
/* (many - few) ÷ calls; consumes both. */
Profile *profile_per_call(Profile *few, Profile *many, double calls);
void profile_free(Profile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Profile, profile_free)

typedef struct ProfileLine {
        const char *name;    /* interned; of a library without version, or "function (library)" */
        double instructions; /* of an entry: with all that it calls */
        double count;        /* of a library: heap allocations; of an entry: calls */
} ProfileLine;

/* Everything together. */
ProfileLine profile_get_total(const Profile *profile);
/* GArray of ProfileLine, sorted by instructions, the largest first; borrowed. Entries are the
 * functions of other libraries that are called by our own code. */
GArray *profile_get_libraries(const Profile *profile);
GArray *profile_get_entries(const Profile *profile);
