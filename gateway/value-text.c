/* SPDX-License-Identifier: MIT */

#include "gateway/value-text.h"

#include <errno.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/signature.h"
#include "gateway/codec/dbus-to-json.h"

static const CodecOptions exact = {.bytes = CODEC_BYTES_ARRAY, .typed_variants = true};

/* ---- JSON with its keys in order ---- */

static int compare_keys(const void *a, const void *b, void *userdata)
{
        const JsonDoc *doc = userdata;
        size_t left_length, right_length;
        const char *left = json_raw(doc, *(const uint32_t *)a, &left_length);
        const char *right = json_raw(doc, *(const uint32_t *)b, &right_length);
        int r = memcmp(left, right, MIN(left_length, right_length));

        return r != 0 ? r : (left_length > right_length) - (left_length < right_length);
}

/* Recursion is as deep as json_scan() lets JSON be. */
static int write_sorted(JsonDoc *doc, uint32_t node, Buffer *out)
{
        bool is_object = json_type(doc, node) == JSON_OBJECT;
        CLEANUP_FREE uint32_t *children = NULL;
        size_t n = 0, length;
        const char *raw;
        int r = 0;

        raw = json_raw(doc, node, &length);
        if (!is_object && json_type(doc, node) != JSON_ARRAY)
                return buffer_append(out, raw, length);
        children = calloc(doc->nodes[node].count + 1, sizeof(*children));
        if (!children)
                return -ENOMEM;
        JSON_FOREACH (doc, node, child)
                children[n++] = child;
        if (is_object)
                qsort_r(children, n, sizeof(*children), compare_keys, doc);
        buffer_append_char(out, is_object ? '{' : '[');
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (i > 0)
                        buffer_append_text(out, ",");
                if (is_object) {
                        raw = json_raw(doc, children[i], &length);
                        buffer_append(out, raw, length);
                        buffer_append_char(out, ':');
                }
                r = write_sorted(doc, children[i] + is_object, out);
        }
        buffer_append_char(out, is_object ? '}' : ']');
        return r < 0 ? r : buffer_status(out);
}

/* Appends the JSON of `json` in order, or why there is none. */
static int finish(int r, const Buffer *json, const Error *why, Buffer *out)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        bool written = r >= 0;

        if (r == -ENOMEM)
                return r;
        if (written)
                r = json_scan(&doc, json->data, json->length, JSON_SCAN_STRICT);
        if (r == -ENOMEM)
                return r;
        if (r >= 0)
                r = write_sorted(&doc, 0, out);
        else
                r = buffer_printf(out, "(not shown: %s)",
                                  why                ? error_text(why)
                                  : doc.error_reason ? doc.error_reason
                                                     : "");
        return r < 0 ? r : written;
}

/* ---- D-Bus ---- */

int value_text_variant(sd_bus_message *m, Buffer *out)
{
        CLEANUP_BUFFER Buffer json = BUFFER_INIT(0);
        CLEANUP_FREE char *signature = NULL;
        CLEANUP_ERROR Error *why = NULL;
        const char *contents;
        CodecType *type = NULL;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r <= 0 || !contents)
                return r < 0 ? r : -EBADMSG;
        signature = strdup(contents);
        if (!signature)
                return -ENOMEM;
        buffer_printf(out, "%s ", signature);
        r = codec_type_new(signature, &exact, &type, &why);
        if (r >= 0)
                r = codec_variant_to_json(m, type, "the value", &json, &why);
        codec_type_free(type);
        return finish(r, &json, why, out);
}

int value_text_message(sd_bus_message *m, Buffer *out)
{
        const char *signature = sd_bus_message_get_signature(m, true);
        CLEANUP_BUFFER Buffer json = BUFFER_INIT(0);
        CLEANUP_ERROR Error *why = NULL;
        CodecArgs args = {};
        int r;

        if (!signature || !*signature)
                return buffer_append_text(out, "()");
        r = sd_bus_message_rewind(m, true);
        if (r < 0)
                return r;
        buffer_printf(out, "%s ", signature);
        r = value_text_parse_signature(signature, &args, &why);
        if (r >= 0)
                r = codec_args_to_json(m, &args, false, &json, &why);
        codec_args_done(&args);
        r = finish(r, &json, why, out);
        return r < 0 ? r : 0;
}

int value_text_parse_signature(const char *signature, CodecArgs *args, Error **ret_error)
{
        SignatureError error = {};
        int r = 0;

        if (signature_check(signature, strlen(signature), &error) < 0)
                return error_set(ret_error, -EINVAL, "'%s' is no signature: %s", signature,
                                 error.reason);
        while (*signature && r >= 0) {
                size_t length = signature_type_length(signature);
                CLEANUP_FREE char *type = strndup(signature, length);

                if (!type)
                        return error_set(ret_error, -ENOMEM, "out of memory");
                r = codec_args_add(args, NULL, type, &exact, ret_error);
                signature += length;
        }
        return r;
}
