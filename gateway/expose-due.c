/* SPDX-License-Identifier: MIT */

/* What has to wait for its time: values and signals of members with min_interval_ms, of which one
 * is sent at once and then at most one per interval, the last; and properties that are polled. One
 * list in the order of time, one timer. */

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "gateway/expose.h"

struct ExposeDue {
        ExposeObject *object;
        const MappingInterface *poll; /* NULL: a value or signal */
        MappingMember *member;        /* a reference */
        char *text;                   /* to be sent; NULL: nothing has come meanwhile */
        size_t length;
        uint64_t usec;
        ExposeDue *prev, *next; /* in the service, by time */
        ExposeDue *sibling;     /* in the object */
};

/* ---- the list ---- */

static int on_time(sd_event_source *source, uint64_t usec, void *userdata);

static int arm(Expose *expose)
{
        int r;

        if (!expose->due_timer) {
                r = sd_event_add_time(expose->event, &expose->due_timer, CLOCK_MONOTONIC,
                                      UINT64_MAX, 1000, on_time, expose);
                if (r < 0)
                        return r;
        }
        if (!expose->dues)
                return sd_event_source_set_enabled(expose->due_timer, SD_EVENT_OFF);
        r = sd_event_source_set_time(expose->due_timer, expose->dues->usec);
        return r < 0 ? r : sd_event_source_set_enabled(expose->due_timer, SD_EVENT_ONESHOT);
}

/* From the end, where most belong: intervals of one service are much the same. */
static void insert(Expose *expose, ExposeDue *due)
{
        ExposeDue *before = expose->dues ? expose->dues->prev : NULL;

        while (before && before->usec > due->usec)
                before = before == expose->dues ? NULL : before->prev;
        if (before)
                DL_APPEND_ELEM(expose->dues, before, due);
        else
                DL_PREPEND(expose->dues, due);
}

static void due_free(ExposeDue *due)
{
        DL_DELETE(due->object->expose->dues, due);
        LL_DELETE2(due->object->dues, due, sibling);
        mapping_member_unref(due->member);
        free(due->text);
        free(due);
}

static int due_new(ExposeObject *object, const MappingInterface *poll, MappingMember *member,
                   uint64_t usec)
{
        ExposeDue *due = calloc(1, sizeof(*due));
        int r;

        if (!due)
                return -ENOMEM;
        due->object = object;
        due->poll = poll;
        due->member = mapping_member_ref(member);
        due->usec = clock_now() + usec;
        insert(object->expose, due);
        LL_PREPEND2(object->dues, due, sibling);
        r = arm(object->expose);
        if (r < 0)
                due_free(due);
        return r;
}

static bool is_of(const ExposeDue *due, const MappingMember *member)
{
        return due->member->kind == member->kind && !strcmp(due->member->name, member->name);
}

static ExposeDue *find(const ExposeObject *object, const MappingMember *member, bool poll)
{
        ExposeDue *due;

        for (due = object->dues; due; due = due->sibling)
                if (!due->poll == !poll && is_of(due, member))
                        return due;
        return NULL;
}

/* ---- sending ---- */

static void warn(const ExposeObject *object, const MappingMember *member, const char *why)
{
        expose_warn(object->expose, "%s/%s is not told to MQTT: %s", object->name, member->name,
                    why);
}

static const char *explain(int r)
{
        return r == -ESTALE ? "another gateway has taken over" : strerrordesc_np(-r);
}

static void send(const ExposeObject *object, const MappingMember *member, const char *text,
                 size_t length)
{
        Expose *expose = object->expose;
        int r;

        if (member->kind == MEMBER_PROPERTY) {
                r = mqttrpc_property_publish(expose->bus, expose->name, object->name, member->name,
                                             text, length);
        } else {
                expose->stats.signals++;
                r = mqttrpc_emit_signal_json(
                        expose->bus, expose->name, object->name, member->name, text, length,
                        member->rule->qos == 0 ? MQTTRPC_SIGNAL_QOS0 : MQTTRPC_SIGNAL_DEFAULT);
        }
        if (r < 0)
                warn(object, member, explain(r));
}

void expose_due_send(ExposeObject *object, MappingMember *member, const char *text, size_t length)
{
        uint64_t interval = member->rule->min_interval_usec;
        Expose *expose = object->expose;
        ExposeDue *due = interval > 0 ? find(object, member, false) : NULL;
        char *copy;

        if (due) {
                copy = malloc(length + 1);
                if (!copy) {
                        expose->stats.dropped += member->kind == MEMBER_SIGNAL;
                        warn(object, member, "out of memory");
                        return;
                }
                memcpy(copy, text, length);
                copy[length] = '\0';
                free(due->text);
                due->text = copy;
                due->length = length;
                return;
        }
        send(object, member, text, length);
        if (interval > 0)
                (void)due_new(object, NULL, member, interval); /* else the next one is early */
}

int expose_due_poll(ExposeObject *object, const MappingInterface *interface, MappingMember *member)
{
        if (find(object, member, true))
                return 0;
        return due_new(object, interface, member, member->rule->poll_s * USEC_PER_SEC);
}

/* ---- time ---- */

static void again(ExposeDue *due, uint64_t usec)
{
        Expose *expose = due->object->expose;

        DL_DELETE(expose->dues, due);
        due->usec = clock_now() + usec;
        insert(expose, due);
}

static void run(ExposeDue *due)
{
        if (due->poll) {
                expose_fetch(due->object, due->poll, due->member);
                expose_fetch_go_on(due->object->expose);
                again(due, due->member->rule->poll_s * USEC_PER_SEC);
        } else if (due->text) {
                CLEANUP_FREE char *text = STEAL(due->text);

                send(due->object, due->member, text, due->length);
                again(due, due->member->rule->min_interval_usec);
        } else {
                due_free(due);
        }
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        Expose *expose = userdata;
        uint64_t now = clock_now();

        while (expose->dues && expose->dues->usec <= now)
                run(expose->dues);
        return arm(expose);
}

/* ---- going ---- */

void expose_due_free_all(ExposeObject *object)
{
        while (object->dues)
                due_free(object->dues);
}

void expose_due_free_interface(ExposeObject *object, const MappingInterface *interface)
{
        ExposeDue *due, *next;

        for (due = object->dues; due; due = next) {
                next = due->sibling;
                if (!strcmp(due->member->interface, interface->name))
                        due_free(due);
        }
}
