/* SPDX-License-Identifier: MIT */

#include "gateway/usage.h"

#include <errno.h>
#include <string.h>

#include "common/json-fields.h"

static const char *const side_names[USAGE_SIDES + 1] = {"mqtt", "dbus"};
static const char *const kind_names[USAGE_KINDS + 1] = {"call", "get", "set"};

/* Side and kind, and four texts with their NUL. */
#define KEY_BYTES (2 + LIMIT_OBJECT_LENGTH + 3 * LIMIT_NAME_LENGTH + 4)

void usage_done(Usage *usage)
{
        UsageEntry *entry, *next;

        HASH_ITER (hh, usage->entries, entry, next) {
                HASH_DEL(usage->entries, entry);
                free(entry);
        }
        *usage = (Usage){};
}

/* ---- entries ---- */

/* The key as one text: side, kind, and the names with a NUL after each. 0 if it does not fit, which
 * no name of a mapping brings about. */
static size_t write_key(const UsageKey *key, char *text)
{
        const char *const names[] = {key->service, key->object, key->interface, key->member};
        size_t length = 2, size;

        text[0] = (char)('0' + key->side);
        text[1] = (char)('0' + key->kind);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                size = strlen(names[i]) + 1;
                if (size > KEY_BYTES - length)
                        return 0;
                memcpy(text + length, names[i], size);
                length += size;
        }
        return length;
}

static UsageEntry *entry_new(const UsageKey *key, const char *text, size_t length, time_t now)
{
        const char *at;
        UsageEntry *entry;

        entry = calloc(1, sizeof(*entry) + length);
        if (!entry)
                return NULL;
        memcpy(entry->text, text, length);
        at = entry->text + 2;
        entry->key = (UsageKey){.side = key->side, .kind = key->kind, .service = at};
        entry->key.object = at += strlen(at) + 1;
        entry->key.interface = at += strlen(at) + 1;
        entry->key.member = at + strlen(at) + 1;
        entry->first = now;
        return entry;
}

/* NULL if there is no room for another one. */
static UsageEntry *get_entry(Usage *usage, const UsageKey *key, time_t now)
{
        char text[KEY_BYTES];
        size_t length = write_key(key, text);
        UsageEntry *entry = NULL;

        if (length == 0)
                return NULL;
        HASH_FIND(hh, usage->entries, text, length, entry);
        if (entry || usage->n_entries >= LIMIT_USAGE_ENTRIES)
                return entry;
        entry = entry_new(key, text, length, now);
        if (!entry)
                return NULL;
        HASH_ADD(hh, usage->entries, text, length, entry);
        if (!hash_added(entry->hh)) {
                free(entry);
                return NULL;
        }
        usage->n_entries++;
        return entry;
}

static void copy_printable(char *to, size_t size, const char *text)
{
        size_t i;

        for (i = 0; text && text[i] && i + 1 < size; i++)
                to[i] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
        to[i] = '\0';
}

static void set_changed(Usage *usage)
{
        if (usage->changed)
                return;
        usage->changed = true;
        if (usage->on_change)
                usage->on_change(usage->userdata);
}

void usage_count(Usage *usage, const UsageKey *key, const char *caller, const char *process,
                 time_t now)
{
        UsageEntry *entry;

        if (!usage)
                return;
        entry = get_entry(usage, key, now);
        if (entry) {
                entry->count++;
                entry->last = now;
                copy_printable(entry->caller, sizeof(entry->caller), caller);
                copy_printable(entry->process, sizeof(entry->process), process);
        } else {
                usage->others[key->side]++;
        }
        set_changed(usage);
}

void usage_saved(Usage *usage)
{
        usage->changed = false;
}

/* ---- writing ---- */

static void emit_time(EmitJson *emit, const char *key, time_t time)
{
        char text[32] = "";
        struct tm parts;

        if (gmtime_r(&time, &parts))
                (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
        emit_string(emit, key, text);
}

void usage_write_entry(EmitJson *emit, const UsageEntry *entry, bool with_service)
{
        emit_open_flat(emit, NULL, '{');
        emit_string(emit, "side", side_names[entry->key.side]);
        emit_string(emit, "access", kind_names[entry->key.kind]);
        if (with_service)
                emit_string(emit, "service", entry->key.service);
        emit_string(emit, "object", entry->key.object);
        emit_string(emit, "interface", entry->key.interface);
        emit_string(emit, "member", entry->key.member);
        emit_integer(emit, "count", (int64_t)MIN(entry->count, (uint64_t)INT64_MAX));
        emit_time(emit, "first", entry->first);
        emit_time(emit, "last", entry->last);
        emit_string(emit, "caller", entry->caller);
        if (entry->process[0])
                emit_string(emit, "process", entry->process);
        emit_close(emit, '}');
}

/* Bytes of the longest entry, and of what follows the entries. */
#define ENTRY_BYTES 8192U

int usage_write(const Usage *usage, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, true);
        uint64_t others[USAGE_SIDES];

        memcpy(others, usage->others, sizeof(others));
        emit_open(&emit, NULL, '{');
        emit_string(&emit, "format", USAGE_FORMAT);
        emit_open(&emit, "members", '[');
        for (const UsageEntry *entry = usage->entries; entry; entry = entry->hh.next)
                if (buffer->length + 2 * ENTRY_BYTES < LIMIT_FILE_BYTES)
                        usage_write_entry(&emit, entry, true);
                else
                        others[entry->key.side] += entry->count;
        emit_close(&emit, ']');
        emit_open_flat(&emit, "others", '{');
        for (size_t i = 0; i < USAGE_SIDES; i++)
                emit_integer(&emit, side_names[i], (int64_t)MIN(others[i], (uint64_t)INT64_MAX));
        emit_close(&emit, '}');
        emit_close(&emit, '}');
        return buffer_append_char(buffer, '\n');
}

/* ---- reading ---- */

/* One of `members`, as it is in the file. Strings are owned. */
typedef struct Record {
        int side;
        int kind;
        char *service;
        char *object;
        char *interface;
        char *member;
        uint64_t count;
        time_t first;
        time_t last;
        char *caller;
        char *process;
} Record;

static void read_count(JsonFile *file, uint32_t node, void *target)
{
        if (json_uint64(&file->doc, node, &((Record *)target)->count) < 0)
                json_file_error(file, node, "expected a count");
}

static void read_time(JsonFile *file, uint32_t node, time_t *ret_time)
{
        CLEANUP_FREE char *text = json_file_string(file, node);
        struct tm parts = {};
        const char *end;

        if (!text)
                return;
        end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
        if (end && *end == '\0')
                *ret_time = timegm(&parts);
        else
                json_file_error(file, node, "expected a time such as 2026-01-31T12:00:00Z");
}

static void read_first(JsonFile *file, uint32_t node, void *target)
{
        read_time(file, node, &((Record *)target)->first);
}

static void read_last(JsonFile *file, uint32_t node, void *target)
{
        read_time(file, node, &((Record *)target)->last);
}

#define AT(member) offsetof(Record, member)

static const JsonField record_fields[] = {
        {"side", JSON_FIELD_WORD, AT(side), .words = side_names, .required = true},
        {"access", JSON_FIELD_WORD, AT(kind), .words = kind_names, .required = true},
        {"service", JSON_FIELD_STRING, AT(service), .required = true},
        {"object", JSON_FIELD_STRING, AT(object), .required = true},
        {"interface", JSON_FIELD_STRING, AT(interface), .required = true},
        {"member", JSON_FIELD_STRING, AT(member), .required = true},
        {"count", JSON_FIELD_CUSTOM, 0, .read = read_count, .required = true},
        {"first", JSON_FIELD_CUSTOM, 0, .read = read_first, .required = true},
        {"last", JSON_FIELD_CUSTOM, 0, .read = read_last, .required = true},
        {"caller", JSON_FIELD_STRING, AT(caller)},
        {"process", JSON_FIELD_STRING, AT(process)},
};

static void add_record(Usage *usage, const Record *record)
{
        UsageKey key = {.side = (UsageSide)record->side,
                        .kind = (UsageKind)record->kind,
                        .service = record->service,
                        .object = record->object,
                        .interface = record->interface,
                        .member = record->member};
        UsageEntry *entry = get_entry(usage, &key, record->first);

        if (!entry) {
                usage->others[key.side] += record->count;
                return;
        }
        entry->count += record->count;
        entry->last = record->last;
        copy_printable(entry->caller, sizeof(entry->caller), record->caller);
        copy_printable(entry->process, sizeof(entry->process), record->process);
}

static void read_members(JsonFile *file, uint32_t node, void *target)
{
        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        JSON_FOREACH (&file->doc, node, child) {
                Record record = {};

                json_fields_read(file, child, record_fields, ARRAY_SIZE(record_fields), &record);
                if (!json_file_failed(file))
                        add_record(target, &record);
                json_fields_done(record_fields, ARRAY_SIZE(record_fields), &record);
        }
}

static void read_others(JsonFile *file, uint32_t node, void *target)
{
        Usage *usage = target;
        uint64_t count;

        if (!json_file_expect(file, node, JSON_OBJECT))
                return;
        for (size_t i = 0; i < USAGE_SIDES; i++) {
                uint32_t value = json_find(&file->doc, node, side_names[i]);

                if (value > 0 && json_uint64(&file->doc, value, &count) >= 0)
                        usage->others[i] += count;
                else
                        json_file_error(file, node, "expected a count for '%s'", side_names[i]);
        }
}

static void read_format(JsonFile *file, uint32_t node, void *target)
{
        if (!json_string_is(&file->doc, node, USAGE_FORMAT))
                json_file_error(file, node, "expected \"%s\"", USAGE_FORMAT);
}

int usage_parse(Usage *usage, const char *name, const char *text, size_t length,
                Diagnostics *diagnostics)
{
        static const JsonField fields[] = {
                {"format", JSON_FIELD_CUSTOM, 0, .read = read_format, .required = true},
                {"members", JSON_FIELD_CUSTOM, 0, .read = read_members, .required = true},
                {"others", JSON_FIELD_CUSTOM, 0, .read = read_others, .required = true},
        };
        CLEANUP_JSON_FILE JsonFile file = {};
        Usage empty = {.on_change = usage->on_change, .userdata = usage->userdata};
        int r;

        r = json_file_parse(&file, name, text, length, diagnostics);
        if (r < 0)
                return r;
        json_fields_read(&file, 0, fields, ARRAY_SIZE(fields), usage);
        if (!json_file_failed(&file))
                return 0;
        usage_done(usage);
        *usage = empty;
        return -EINVAL;
}
