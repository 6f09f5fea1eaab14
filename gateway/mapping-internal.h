/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files mapping*.c share. */

#include "common/json-file.h"
#include "gateway/mapping.h"

/* A rule without options. NULL without memory. */
MappingRule *mapping_rule_new(MemberKind kind, const char *member);
MappingRule *mapping_rule_ref(MappingRule *rule);
MappingRule *mapping_rule_unref(MappingRule *rule);

/* Reads the options of a member from the object `node`; errors are reported. */
void mapping_rule_read(MappingRule *rule, JsonFile *file, uint32_t node);

/* Reads "allow" from the node of its value into a MappingAllow, and frees what it holds. */
void mapping_allow_read(JsonFile *file, uint32_t node, MappingAllow *allow);
void mapping_allow_done(MappingAllow *allow);

/* Reports what a facade could not be made of: what needs a running service to be known, and file
 * descriptors. */
void mapping_check_facade(const MappingService *service, JsonFile *file);

/* True if nothing remains for introspection to fill in. */
bool mapping_rule_is_complete(const MappingRule *rule);

/* The access class; never NULL. */
const char *mapping_rule_access(const MappingRule *rule);

/* True if the member is not to be had: `false`, or access class "none". */
bool mapping_rule_hides(const MappingRule *rule);

/* Takes a service out of its set; it is the caller's then. */
void mapping_set_take(MappingSet *set, MappingService *service);

/* Calls the handler for every file that makes up a set, in the order of their names, until one
 * returns a negative errno, which is returned. */
typedef int (*MappingFileHandler)(const char *path, void *userdata);
int mapping_folders_each(const char *const *folders, size_t n_folders, Diagnostics *diagnostics,
                         MappingFileHandler handler, void *userdata);

/* Reads `length` bytes into a digest. */
void mapping_digest_add(MappingDigest *digest, const char *text, size_t length);

/* A new, empty service, object, interface; the latter two added to their owner. -EEXIST if that has
 * one of that name (or path) already, -E2BIG if it has LIMIT_MAPPING_TEMPLATES of them. Strings are
 * copied. */
MappingService *mapping_service_new(const char *file);
/* `template` is NULL for a path without captures; consumed, on failure too. */
int mapping_service_add_object(MappingService *service, const char *path, const char *name,
                               PathTemplate *template, MappingObject **ret_object);
int mapping_object_add_interface(MappingObject *object, const char *name,
                                 MappingInterface **ret_interface);
/* Consumes the rule, on failure too. */
int mapping_interface_add_rule(MappingInterface *interface, MappingRule *rule);

/* Makes the tests of a signal whose arguments are known from the filter of its rule. -EINVAL with a
 * sentence if there is no such argument, or it cannot have the value; -ENOMEM. */
int mapping_member_compile_filter(MappingMember *member, Error **ret_error);

/* The bus name that default names of objects go by: of a family, and its members,
 * its prefix. */
const char *mapping_service_home(const MappingService *service);

/* Reports objects of the file that could have one name in topics, and templates that never come to
 * bear. */
void mapping_check_objects(const MappingService *service, JsonFile *file);

/* Makes the members of an object anew from its rules and the introspection it has. While a file is
 * loaded, `file` is that file and two listed members of one name are an error in it; later it is
 * NULL. */
int mapping_object_compile(MappingObject *object, JsonFile *file, Diagnostics *diagnostics);

/* Keeps the introspection of the object's interfaces, without compiling. */
void mapping_object_set_introspection(MappingObject *object, const Introspection *introspection);

/* Drops all members of the object. */
void mapping_object_clear(MappingObject *object);

DEFINE_CLEANUP(MappingRule *, mapping_rule_unref, mapping_rule_cleanup)
DEFINE_CLEANUP(MappingMember *, mapping_member_unref, mapping_member_cleanup)
