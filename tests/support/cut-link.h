/* SPDX-License-Identifier: MIT */
#pragma once

/* A link that can be cut: passes everything between a socket of its own and that of a broker, until
 * it is told to hold it back, as a network does that is gone without a word, or to hang up. Runs in
 * a thread of its own. */

#include "tests/support/broker.h"

typedef struct CutLink CutLink;

typedef enum CutLinkKind {
        CUT_LINK_UNIX,
        CUT_LINK_TCP, /* a port of 127.0.0.1 */
} CutLinkKind;

CutLink *cut_link_new(TempDir *dir, Broker *broker, CutLinkKind kind);
/* Accepts NULL, returns NULL. */
CutLink *cut_link_free(CutLink *link);
DEFINE_CLEANUP(CutLink *, cut_link_free, cleanup_cut_link)
#define CLEANUP_CUT_LINK CLEANUP(cleanup_cut_link)

const char *cut_link_get_uri(const CutLink *link);
/* From now on nothing passes, in either direction, and nobody is told; or again all. */
void cut_link_hold(CutLink *link, bool hold);
/* Closes what is connected. What was held back is lost. */
void cut_link_hang_up(CutLink *link);
