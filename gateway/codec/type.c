/* SPDX-License-Identifier: MIT */

#include "gateway/codec/type.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/signature.h"
#include "gateway/codec/type-internal.h"

/* The one that codec_type_free() undoes, for CLEANUP(). */
DEFINE_CLEANUP(CodecType *, codec_type_free, type_cleanup)

static int out_of_memory(Error **ret_error)
{
        return error_set(ret_error, -ENOMEM, "out of memory");
}

static size_t count_members(const char *structure)
{
        const char *at = structure + 1;
        size_t count = 0;

        for (; *at != ')'; at += signature_type_length(at))
                count++;
        return count;
}

static int check_field_name(const CodecOptions *options, size_t i, Error **ret_error)
{
        const char *name = options->fields[i];

        if (!name || !*name)
                return error_set(ret_error, -EINVAL, "field %zu has no name", i);
        for (size_t j = 0; j < i; j++)
                if (!strcmp(options->fields[j], name))
                        return error_set(ret_error, -EINVAL, "two fields are named '%s'", name);
        return 0;
}

static int copy_fields(CodecType *type, const CodecOptions *options, Error **ret_error)
{
        const char *named = strchr(type->signature, '(');
        size_t n_members;
        int r;

        if (!named)
                return error_set(ret_error, -EINVAL, "type '%s' has no struct to name fields of",
                                 type->signature);
        n_members = count_members(named);
        if (n_members != options->n_fields)
                return error_set(ret_error, -EINVAL,
                                 "%zu field names for a struct of %zu members in '%s'",
                                 options->n_fields, n_members, type->signature);
        type->fields = calloc(n_members, sizeof(*type->fields));
        if (!type->fields)
                return out_of_memory(ret_error);
        for (size_t i = 0; i < n_members; i++) {
                r = check_field_name(options, i, ret_error);
                if (r < 0)
                        return r;
                type->fields[i] = strdup(options->fields[i]);
                if (!type->fields[i])
                        return out_of_memory(ret_error);
                type->n_fields++;
        }
        type->named = named;
        return 0;
}

static int check_signature(const char *signature, Error **ret_error)
{
        size_t length = strlen(signature);
        SignatureError reason;

        if (signature_check_single(signature, length, &reason) == 0)
                return 0;
        if (length > SIGNATURE_MAX_LENGTH)
                return error_set(ret_error, -EINVAL, "signature: %s", reason.reason);
        return error_set(ret_error, -EINVAL, "signature '%s', at character %zu: %s", signature,
                         reason.offset, reason.reason);
}

int codec_type_new(const char *signature, const CodecOptions *options, CodecType **ret_type,
                   Error **ret_error)
{
        static const CodecOptions defaults = {};
        CLEANUP(type_cleanup) CodecType *type = NULL;
        int r;

        if (!options)
                options = &defaults;
        r = check_signature(signature, ret_error);
        if (r < 0)
                return r;
        type = calloc(1, sizeof(*type));
        if (!type)
                return out_of_memory(ret_error);
        type->signature = strdup(signature);
        if (!type->signature)
                return out_of_memory(ret_error);
        type->bytes = options->bytes;
        type->typed_variants = options->typed_variants;
        type->has_fd = strchr(signature, 'h');
        if (options->fields) {
                r = copy_fields(type, options, ret_error);
                if (r < 0)
                        return r;
        }
        *ret_type = STEAL(type);
        return 0;
}

CodecType *codec_type_free(CodecType *type)
{
        if (!type)
                return NULL;
        for (size_t i = 0; i < type->n_fields; i++)
                free(type->fields[i]);
        free(type->fields);
        free(type->signature);
        free(type);
        return NULL;
}

const char *codec_type_signature(const CodecType *type)
{
        return type->signature;
}

bool codec_type_has_fd(const CodecType *type)
{
        return type->has_fd;
}

/* ---- argument lists ---- */

static int choose_name(const CodecArgs *args, const char *name, char **ret_name, Error **ret_error)
{
        char *chosen;

        if (name && *name)
                chosen = strdup(name);
        else if (asprintf(&chosen, "arg%zu", args->count) < 0)
                chosen = NULL;
        if (!chosen)
                return out_of_memory(ret_error);
        for (size_t i = 0; i < args->count; i++)
                if (!strcmp(args->items[i].name, chosen)) {
                        error_set(ret_error, -EEXIST, "two arguments are named '%s'", chosen);
                        free(chosen);
                        return -EEXIST;
                }
        *ret_name = chosen;
        return 0;
}

/* The signature of the list with one type more. */
static int extend_signature(const CodecArgs *args, const char *more, char **ret_signature,
                            Error **ret_error)
{
        const char *old = args->signature ? args->signature : "";

        if (strlen(old) + strlen(more) > SIGNATURE_MAX_LENGTH)
                return error_set(ret_error, -EINVAL,
                                 "the arguments' types are longer than 254 characters");
        if (asprintf(ret_signature, "%s%s", old, more) < 0) {
                *ret_signature = NULL;
                return out_of_memory(ret_error);
        }
        return 0;
}

int codec_args_add(CodecArgs *args, const char *name, const char *signature,
                   const CodecOptions *options, Error **ret_error)
{
        CLEANUP(type_cleanup) CodecType *type = NULL;
        CLEANUP_FREE char *chosen = NULL, *row = NULL;
        CodecArg *items;
        int r;

        r = choose_name(args, name, &chosen, ret_error);
        if (r < 0)
                return r;
        r = codec_type_new(signature, options, &type, ret_error);
        if (r < 0) {
                error_prefix(ret_error, "argument '%s': ", chosen);
                return r;
        }
        r = extend_signature(args, signature, &row, ret_error);
        if (r < 0)
                return r;
        items = reallocarray(args->items, args->count + 1, sizeof(*items));
        if (!items)
                return out_of_memory(ret_error);
        args->items = items;
        args->items[args->count++] = (CodecArg){
                .name = STEAL(chosen),
                .type = STEAL(type),
                .named = name && *name,
        };
        free(args->signature);
        args->signature = STEAL(row);
        return 0;
}

void codec_args_done(CodecArgs *args)
{
        for (size_t i = 0; i < args->count; i++) {
                free(args->items[i].name);
                codec_type_free(args->items[i].type);
        }
        free(args->items);
        free(args->signature);
        *args = (CodecArgs){};
}
