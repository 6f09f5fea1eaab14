/* SPDX-License-Identifier: MIT */

#include "gateway/recorded-calls.h"

#include <errno.h>
#include <string.h>

#include "common/json-fields.h"
#include "common/limits.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/names.h"
#include "gateway/value-text.h"

/* ---- the file ---- */

static int check_signature(const char *text, Error **ret_error)
{
        CodecArgs args = {};
        int r;

        r = value_text_parse_signature(text, &args, ret_error);
        codec_args_done(&args);
        return r;
}

static void read_values(JsonFile *file, uint32_t node, void *target)
{
        RecordedArgs *args = target;
        const char *raw;
        size_t length;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        raw = json_raw(&file->doc, node, &length);
        free(args->values);
        args->values = strndup(raw, length);
        if (!args->values)
                json_file_out_of_memory(file);
}

static const JsonField reply_fields[] = {
        {"signature", JSON_FIELD_STRING, offsetof(RecordedArgs, signature),
         .check = check_signature},
        {"args", JSON_FIELD_CUSTOM, .read = read_values},
};

static void read_call_values(JsonFile *file, uint32_t node, void *target)
{
        RecordedCall *call = target;

        read_values(file, node, &call->args);
}

static void read_reply(JsonFile *file, uint32_t node, void *target)
{
        RecordedCall *call = target;

        call->has_reply = true;
        json_fields_read(file, node, reply_fields, ARRAY_SIZE(reply_fields), &call->reply);
}

static const JsonField call_fields[] = {
        {"path", JSON_FIELD_STRING, offsetof(RecordedCall, path), .check = name_check_path,
         .required = true},
        {"interface", JSON_FIELD_STRING, offsetof(RecordedCall, interface),
         .check = name_check_interface, .required = true},
        {"method", JSON_FIELD_STRING, offsetof(RecordedCall, method),
         .check = name_check_dbus_member, .required = true},
        {"signature", JSON_FIELD_STRING, offsetof(RecordedCall, args.signature),
         .check = check_signature},
        {"args", JSON_FIELD_CUSTOM, .read = read_call_values},
        {"reply", JSON_FIELD_CUSTOM, .read = read_reply},
        {"error", JSON_FIELD_STRING, offsetof(RecordedCall, error), .check = name_check_interface},
};

static void read_calls(JsonFile *file, uint32_t node, void *target)
{
        RecordedCalls *calls = target;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        calls->items = calloc(file->doc.nodes[node].count + 1, sizeof(*calls->items));
        if (!calls->items) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, item) {
                RecordedCall *call = &calls->items[calls->count++];

                json_fields_read(file, item, call_fields, ARRAY_SIZE(call_fields), call);
                if (call->has_reply && call->error)
                        json_file_error(file, item, "a call has a reply or an error, not both");
        }
}

static const JsonField file_fields[] = {
        {"calls", JSON_FIELD_CUSTOM, .read = read_calls, .required = true},
};

static void check_expected(JsonFile *file, const RecordedCalls *calls)
{
        uint32_t list = json_find(&file->doc, 0, "calls");
        size_t i = 0;

        JSON_FOREACH (&file->doc, list, item) {
                if (!calls->items[i].has_reply && !calls->items[i].error)
                        json_file_error(file, item,
                                        "there is no service to compare with: give the call a "
                                        "\"reply\" or an \"error\"");
                i++;
        }
}

int recorded_calls_load(const char *path, bool expected, Diagnostics *diagnostics,
                        RecordedCalls *ret_calls)
{
        CLEANUP_RECORDED_CALLS RecordedCalls calls = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        int r;

        r = json_file_load(&file, path, diagnostics);
        if (r < 0)
                return r;
        json_fields_read(&file, 0, file_fields, ARRAY_SIZE(file_fields), &calls);
        if (!json_file_failed(&file) && expected)
                check_expected(&file, &calls);
        if (json_file_failed(&file))
                return -EINVAL;
        *ret_calls = calls;
        calls = (RecordedCalls){};
        return 0;
}

void recorded_calls_done(RecordedCalls *calls)
{
        for (size_t i = 0; i < calls->count; i++) {
                RecordedCall *call = &calls->items[i];

                json_fields_done(call_fields, ARRAY_SIZE(call_fields), call);
                json_fields_done(reply_fields, ARRAY_SIZE(reply_fields), &call->reply);
                free(call->args.values);
                free(call->reply.values);
        }
        free(calls->items);
        *calls = (RecordedCalls){};
}

/* ---- calls ---- */

static int append_args(const RecordedArgs *recorded, sd_bus_message *m, Error **ret_error)
{
        const char *values = recorded->values ? recorded->values : "[]";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CodecArgs args = {};
        int r;

        r = json_scan(&doc, values, strlen(values), JSON_SCAN_COMMENTS);
        if (r < 0)
                return error_set(ret_error, r, "the arguments cannot be used");
        if (recorded->signature)
                r = value_text_parse_signature(recorded->signature, &args, ret_error);
        if (r >= 0)
                r = codec_args_from_json(&doc, 0, &args, m, NULL, ret_error);
        codec_args_done(&args);
        return r;
}

int recorded_call_make(const RecordedCall *call, Peer *peer, Buffer *out, Error **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        CLEANUP_FREE char *name = NULL;
        int r;

        r = sd_bus_message_new_method_call(peer->bus, &m, peer->name, call->path, call->interface,
                                           call->method);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot call %s", call->method);
        r = append_args(&call->args, m, ret_error);
        if (r < 0)
                return r;
        r = peer_call(peer, m, DEFAULT_TIMEOUT_USEC, &reply, &name, ret_error);
        if (r > 0)
                r = value_text_message(reply, out);
        else if (r == 0)
                r = buffer_printf(out, "error %s", name);
        else
                return r;
        return r < 0 ? error_set_errno(ret_error, r, "the answer of %s", call->method) : 0;
}

int recorded_call_write_expected(const RecordedCall *call, sd_bus *bus, Buffer *out,
                                 Error **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (call->error)
                return buffer_printf(out, "error %s", call->error);
        r = sd_bus_message_new_signal(bus, &m, "/", "org.example.Reply", "Reply");
        if (r < 0)
                return error_set_errno(ret_error, r, "the reply of %s", call->method);
        r = append_args(&call->reply, m, ret_error);
        if (r < 0) {
                error_prefix(ret_error, "the reply of %s: ", call->method);
                return r;
        }
        r = sd_bus_message_seal(m, 1, 0);
        if (r >= 0)
                r = value_text_message(m, out);
        return r < 0 ? error_set_errno(ret_error, r, "the reply of %s", call->method) : 0;
}
