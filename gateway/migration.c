/* SPDX-License-Identifier: MIT */

#include "gateway/migration.h"

#include <string.h>

/* Bytes that must be left in the answer for what follows an item of a list. */
#define ITEM_BYTES 4096U

/* ---- gaps ---- */

static bool any_argument(const MappingMember *member, bool (*fits)(const CodecType *))
{
        for (size_t i = 0; i < member->in.count; i++)
                if (fits(member->in.items[i].type))
                        return true;
        for (size_t i = 0; i < member->out.count; i++)
                if (fits(member->out.items[i].type))
                        return true;
        return false;
}

/* In what the native service sends. */
static bool sends_variants(const MappingMember *member)
{
        for (size_t i = 0; i < member->out.count; i++)
                if (strchr(codec_type_signature(member->out.items[i].type), 'v'))
                        return true;
        return false;
}

static bool takes_path(const MappingMember *member)
{
        for (size_t i = 0; i < member->in.count; i++)
                if (!strcmp(codec_type_signature(member->in.items[i].type), "o"))
                        return true;
        return false;
}

/* As a client registers an object of its own, by the custom of many services. */
static bool looks_like_registration(const MappingMember *member)
{
        return member->kind == MEMBER_METHOD && takes_path(member) &&
               (!strncmp(member->member, "Register", 8) || strstr(member->member, "Agent"));
}

static bool is_thinned(const MappingMember *member)
{
        const MappingRule *rule = member->rule;

        return rule->min_interval_usec > 0 || member->n_tests > 0;
}

typedef struct Gaps {
        MigrationHandler each;
        void *userdata;
        bool acts; /* something of it is not for everybody */
} Gaps;

static void find(const Gaps *gaps, MigrationGap gap, bool is_guess, const MappingObject *object,
                 const MappingMember *member)
{
        MigrationFinding finding = {
                .gap = gap, .is_guess = is_guess, .member = member, .object = object};

        gaps->each(&finding, gaps->userdata);
}

static void look_at(Gaps *gaps, const MappingObject *object, const MappingMember *member)
{
        bool registers = looks_like_registration(member);

        if (strcmp(member->access, "read") != 0)
                gaps->acts = true;
        if (!member->typed) {
                find(gaps, GAP_TYPES, false, object, member);
                return;
        }
        if (any_argument(member, codec_type_has_fd))
                find(gaps, GAP_DESCRIPTORS, false, object, member);
        if (member->rule->callback || registers)
                find(gaps, GAP_CALLBACK, !member->rule->callback, object, member);
        if (member->rule->unicast)
                find(gaps, GAP_UNICAST, false, object, member);
        if (is_thinned(member))
                find(gaps, GAP_THINNED, false, object, member);
        if (sends_variants(member))
                find(gaps, GAP_VARIANT, true, object, member);
}

void migration_find_gaps(const MappingService *mapping, MigrationHandler each, void *userdata)
{
        Gaps gaps = {.each = each, .userdata = userdata};

        for (const MappingObject *object = mapping->objects; object; object = object->hh.next)
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                        for (const MappingMember *m = object->members[kind]; m; m = m->hh.next)
                                look_at(&gaps, object, m);
        if (gaps.acts)
                find(&gaps, GAP_CALLER, true, NULL, NULL);
}

const char *migration_gap_name(MigrationGap gap)
{
        static const char *const names[] = {
                [GAP_TYPES] = "types",       [GAP_DESCRIPTORS] = "descriptors",
                [GAP_CALLBACK] = "callback", [GAP_UNICAST] = "unicast",
                [GAP_THINNED] = "thinned",   [GAP_VARIANT] = "variant",
                [GAP_CALLER] = "caller",
        };

        return names[gap];
}

const char *migration_gap_text(const MigrationFinding *finding)
{
        switch (finding->gap) {
        case GAP_TYPES:
                return "its types are not known, so it is not offered: give them in the mapping, "
                       "or put introspection beside it";
        case GAP_DESCRIPTORS:
                return "descriptors cannot leave D-Bus: a facade cannot have it, so leave it out "
                       "of the mapping";
        case GAP_CALLBACK:
                return finding->is_guess
                               ? "it takes an object path, and may be called back there: MQTT "
                                 "cannot reach objects that a client exports"
                               : "it calls its caller back: MQTT cannot reach objects that a "
                                 "client exports";
        case GAP_UNICAST: return "the daemon sends it to one client only: MQTT knows no such thing";
        case GAP_THINNED:
                return "the mapping has a filter or 'min_interval_ms': not all of it passes";
        case GAP_VARIANT:
                return "the native service has to say the type of what is in a variant, unless "
                       "that is a string or a boolean: {\"type\": \"u\", \"data\": 5}";
        case GAP_CALLER: break;
        }
        return "the native service sees the gateway as the caller: if the daemon asks polkit, or "
               "looks at who calls, the native one has to do so with the sender that comes along, "
               "or the mapping by 'allow'";
}

bool migration_gap_is_loss(const MigrationFinding *finding)
{
        return !finding->is_guess;
}

/* ---- the next step ---- */

static const char *next_of_auto(const char *state)
{
        static const struct {
                const char *state;
                const char *text;
        } steps[] = {
                {"none", "Neither is there. Start the native service, or the daemon."},
                {"dbus", "Start the native service: MQTT clients have it at once. Then stop the "
                         "daemon, and D-Bus clients have it too."},
                {"taking-over", "It moves at the moment: ask again."},
                {"conflict", "Two want it: stop the daemon, and all have the native service. To "
                             "go back, release the name, start the daemon, and stop the native "
                             "service."},
                {"mqtt", "All have the native service. Compare it with the daemon "
                         "(dbus-mqtt-gateway verify), and disable the daemon; when there is no "
                         "way back to be kept, make the provider \"mqtt\"."},
                {"held", "The native service was lost, and D-Bus callers get errors: start it, or "
                         "release the name and start the daemon."},
                {"released", "The name is free for the daemon: start it now."},
                {"loop", "Another gateway has the name: take one of the two mappings away."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
                if (!strcmp(state, steps[i].state))
                        return steps[i].text;
        return "D-Bus is away: look at the log of the gateway.";
}

const char *migration_next_step(MappingProvider provider, const char *state, unsigned n_users)
{
        if (provider == MAPPING_PROVIDER_DBUS)
                return "The daemon serves both sides. Write the native service, give the mapping "
                       "all types, and make its provider \"auto\".";
        if (provider == MAPPING_PROVIDER_AUTO)
                return next_of_auto(state);
        if (!strcmp(state, "conflict"))
                return "The daemon was started, and fails: disable it. To go back to it, release "
                       "the name first.";
        if (n_users > 0)
                return "Move the users that are listed to MQTT.";
        return "Nobody has used it on D-Bus since it is counted. When that is longer than your "
               "slowest client sleeps, take the mapping away.";
}

/* ---- what is told ---- */

typedef struct Telling {
        EmitJson *emit;
        unsigned n_left_out;
} Telling;

static void emit_gap(const MigrationFinding *finding, void *userdata)
{
        Telling *telling = userdata;
        EmitJson *emit = telling->emit;

        if (emit->buffer->length + 2U * ITEM_BYTES > emit->buffer->maximum) {
                telling->n_left_out++;
                return;
        }
        emit_open(emit, NULL, '{');
        emit_string(emit, "gap", migration_gap_name(finding->gap));
        emit_boolean(emit, "loss", migration_gap_is_loss(finding));
        if (finding->member) {
                emit_string(emit, "kind", member_kind_name(finding->member->kind));
                emit_string(emit, "object", finding->object->name);
                emit_string(emit, "interface", finding->member->interface);
                emit_string(emit, "member", finding->member->member);
        }
        emit_string(emit, "text", migration_gap_text(finding));
        emit_close(emit, '}');
}

/* The number of members that were used. */
static unsigned emit_users(EmitJson *emit, const OwnInstance *instance, const Usage *usage)
{
        unsigned n_users = 0, n_left_out = 0;

        emit_open(emit, "users", '[');
        for (const UsageEntry *entry = usage->entries; entry; entry = entry->hh.next) {
                if (entry->key.side != USAGE_DBUS ||
                    strcmp(entry->key.service, instance->name) != 0)
                        continue;
                n_users++;
                if (emit->buffer->length < emit->buffer->maximum / 2)
                        usage_write_entry(emit, entry, false);
                else
                        n_left_out++;
        }
        emit_close(emit, ']');
        own_emit_count(emit, "users_left_out", n_left_out);
        return n_users;
}

void migration_emit(EmitJson *emit, const OwnInstance *instance, const Usage *usage)
{
        Telling telling = {.emit = emit};
        unsigned n_users;

        emit_string(emit, "service", instance->name);
        emit_string(emit, "bus_name", instance->bus_name);
        emit_string(emit, "provider", own_provider_name(instance->mapping->provider));
        emit_string(emit, "state", instance->state);
        n_users = emit_users(emit, instance, usage);
        emit_open(emit, "gaps", '[');
        migration_find_gaps(instance->mapping, emit_gap, &telling);
        emit_close(emit, ']');
        own_emit_count(emit, "gaps_left_out", telling.n_left_out);
        emit_string(emit, "next",
                    migration_next_step(instance->mapping->provider, instance->state, n_users));
}
