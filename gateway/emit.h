/* SPDX-License-Identifier: MIT */
#pragma once

/* Documents and access rules made of mappings; one file for each kind, emit-KIND.c. All are pure:
 * they append to a buffer and return 0 or what buffer_status() says. What the mappings leave to
 * introspection should have been applied; members without types are in the documents, without
 * schemas. The OpenRPC document has a file of its own, openrpc.h, since the gateway serves it. */

#include "common/buffer.h"
#include "gateway/mapping.h"

/* A user of the broker, "*" for all of them, who may use the members of an access class. */
typedef struct EmitGrant {
        const char *access;
        const char *user;
} EmitGrant;

typedef struct EmitOptions {
        const char *root;      /* first levels of topics */
        const char *gateway;   /* the gateway's user at the broker, and its own service */
        const char *dbus_user; /* the user that the gateway runs as */
        const EmitGrant *grants;
        size_t n_grants;
} EmitOptions;

/* AsyncAPI 2.6: the topics of all services, with what is published to each. */
int emit_asyncapi(const MappingSet *set, const EmitOptions *options, Buffer *buffer);
/* A reference in Markdown. */
int emit_markdown(const MappingSet *set, const EmitOptions *options, Buffer *buffer);
/* An acl_file for Mosquitto: by the grants, and with the rights of the gateway itself. A grant is
 * for exactly the members of its class: where a topic filter would reach further (objects of a
 * template are only to be had all together, with "+"), it is left out, with a comment. */
int emit_mosquitto_acl(const MappingSet *set, const EmitOptions *options, Buffer *buffer);
/* A policy file for dbus-daemon that lets the gateway's user call what is mapped, nothing else of
 * these services. */
int emit_dbus_policy(const MappingSet *set, const EmitOptions *options, Buffer *buffer);
