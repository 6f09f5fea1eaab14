/* SPDX-License-Identifier: MIT */
#pragma once

/* A first guess at the access class of a method, by its name, for a person to go over. It errs on
 * the side of caution:
 *
 * - "read" if the name begins with a word that asks (Get, List, Describe, Find, Lookup, Query, Can,
 *   Has, Is) and it returns something;
 * - "control" if it is a word for what changes nothing for long (Play, Pause, PlayPause, Stop,
 * Next, Previous, Seek, Scan, Refresh, Connect, Disconnect, Subscribe, Unsubscribe) and nothing
 * more: StopUnit is another matter;
 * - "admin" otherwise, and always where the name speaks of secrets (Secret, Password, Passphrase,
 *   Credential, Token, Key).
 *
 * A word ends where the name does or where no small letter follows. Pure. */

#include "gateway/introspection.h"

/* A constant. */
const char *guess_access(const IntrospectionMember *method);
