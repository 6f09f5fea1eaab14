/* SPDX-License-Identifier: MIT */

/* mqttrpc complete: what the shells ask for. It knows verbs, options, and from the bus services,
 * objects, methods, properties and names of arguments. It is quick, and silent when something
 * fails: a shell that completes is no place for errors. */

#include <errno.h>
#include <string.h>

#include "cli/description.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/clock.h"

/* For connecting and looking, each. */
#define COMPLETE_USEC USEC_PER_SEC

/* Words of a command line beyond which nobody completes. */
enum { MAXIMUM_WORDS = 256 };

typedef struct Completion {
        Settings settings; /* what the words say; texts are borrowed */
        const Verb *verb;  /* NULL: there is none yet */
        const char *operands[MAXIMUM_WORDS];
        size_t count;
        const char *word; /* as far as it has been written */
        Buffer text;      /* the answer */
        Client client;
        Inventory inventory;
} Completion;

static void completion_done(Completion *completion)
{
        buffer_done(&completion->text);
        inventory_done(&completion->inventory);
        client_done(&completion->client);
}

static void offer(Completion *completion, const char *text, const char *end)
{
        if (strncmp(text, completion->word, strlen(completion->word)) == 0)
                buffer_printf(&completion->text, "%s%s\n", text, end);
}

/* ---- words ---- */

static void offer_options(Completion *completion, const OptionList *list)
{
        for (size_t i = 0; i < list->count; i++) {
                CLEANUP_BUFFER Buffer name = BUFFER_INIT(0);

                buffer_printf(&name, "--%s", list->options[i].name);
                offer(completion, buffer_text(&name), "");
        }
}

/* Values of options that are one of a few words. Files are the shell's business. */
static void offer_values(Completion *completion, const char *option)
{
        static const struct {
                const char *option;
                const char *values[6];
        } rows[] = {
                {"--color", {"auto", "always", "never"}},
                {"--state", {"init", "claim", "ready", "offline", "lost"}},
                {"--mqtt", {"5", "3.1.1"}},
                {"--qos", {"0", "1"}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t v = 0; !strcmp(rows[i].option, option) && rows[i].values[v]; v++)
                        offer(completion, rows[i].values[v], "");
}

/* Reads the words in front of the one to be completed. An option at the end that wants a value is
 * the failure that matters. */
static int read_words(Completion *completion, const char *const *words, size_t count)
{
        CommandLine line = {.argv = words, .argc = count, .next = 1};
        OptionList lists[2] = {settings_options};
        CLEANUP_ERROR Error *error = NULL;
        const char *operand;
        int r;

        while ((r = option_read(&line, lists, completion->verb ? 2 : 1, &completion->settings,
                                &operand, &error)) > 0) {
                if (completion->verb) {
                        completion->operands[completion->count++] = operand;
                        continue;
                }
                completion->verb = verb_find(operand, &error);
                if (!completion->verb)
                        return -EINVAL;
                lists[1] = completion->verb->options;
        }
        return r;
}

/* ---- the bus ---- */

static int look(Completion *completion, unsigned kinds)
{
        const char *service = completion->count > 0 ? completion->operands[0] : NULL;
        const char *object = completion->count > 1 && kinds == INVENTORY_PROPERTY
                                     ? completion->operands[1]
                                     : NULL;
        CLEANUP_RPC_ERROR MqttRpcError *reason = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int r;

        completion->settings.timeout_usec = COMPLETE_USEC;
        r = client_init(&completion->client, &completion->settings, &error);
        if (r >= 0)
                r = client_connect(&completion->client, &reason);
        if (r >= 0)
                r = inventory_collect(&completion->inventory, &completion->client, kinds, service,
                                      object, clock_now() + COMPLETE_USEC, &reason);
        return r;
}

static void offer_services(Completion *completion)
{
        bool any = completion->verb->run == cmd_wait;

        if (look(completion, INVENTORY_SERVICE) < 0)
                return;
        INVENTORY_FOREACH(&completion->inventory, item)
        if (any || item->state == MQTTRPC_SERVICE_READY)
                offer(completion, item->service, "");
}

static void offer_objects(Completion *completion)
{
        if (look(completion, INVENTORY_OBJECT) < 0)
                return;
        INVENTORY_FOREACH(&completion->inventory, item)
        offer(completion, item->object, "");
}

typedef struct Members {
        Completion *completion;
        JsonDoc meta; /* of the object */
        bool described;
} Members;

static void members_done(Members *members)
{
        json_doc_done(&members->meta);
}

static int visit_method(const Description *description, const Member *member, void *userdata)
{
        Members *members = userdata;

        if (member->kind == MEMBER_METHOD &&
            description_member_is_of(member, members->completion->operands[1], members->described,
                                     &members->meta))
                offer(members->completion, member->name, "");
        return 0;
}

static int visit_arguments(const Description *description, const Member *member, void *userdata)
{
        Members *members = userdata;
        const JsonDoc *doc = &description->doc;

        if (member->kind != MEMBER_METHOD || member->params == 0 ||
            strcmp(member->name, members->completion->operands[2]) != 0 ||
            !description_member_is_of(member, members->completion->operands[1], members->described,
                                      &members->meta))
                return 0;
        JSON_FOREACH (doc, member->params, argument) {
                uint32_t node = json_find(doc, argument, "name");
                CLEANUP_FREE char *name = NULL;

                if (node > 0 && json_string_dup(doc, node, &name) >= 0)
                        offer(members->completion, name, "=");
        }
        return 0;
}

static void offer_members(Completion *completion, DescriptionVisit visit)
{
        CLEANUP_DESCRIPTION Description description = {};
        CLEANUP(members_done) Members members = {.completion = completion};
        const InventoryItem *item;

        if (look(completion, INVENTORY_OBJECT | INVENTORY_DESCRIPTION) < 0)
                return;
        item = inventory_find(&completion->inventory, INVENTORY_DESCRIPTION,
                              completion->operands[0], NULL, NULL);
        if (!item || description_parse(&description, item->value, item->length) < 0)
                return;
        members.described = description_has_object(&description, completion->operands[1]);
        item = inventory_find(&completion->inventory, INVENTORY_OBJECT, completion->operands[0],
                              completion->operands[1], NULL);
        if (item)
                (void)json_scan(&members.meta, item->value, item->length, JSON_SCAN_STRICT);
        (void)description_each(&description, visit, &members);
}

static void offer_properties(Completion *completion)
{
        if (look(completion, INVENTORY_PROPERTY) < 0)
                return;
        INVENTORY_FOREACH(&completion->inventory, item)
        offer(completion, item->name, "");
}

/* ---- */

/* The letter for the next operand; 0: there is none. */
static char next_letter(const Completion *completion)
{
        const char *letters = completion->verb->completion;
        size_t length = strlen(letters);

        if (length > 0 && letters[length - 1] == '+' && completion->count >= length - 1)
                return letters[length - 2];
        return completion->count < length ? letters[completion->count] : '\0';
}

static void offer_operands(Completion *completion)
{
        switch (next_letter(completion)) {
        case 's': offer_services(completion); break;
        case 'o': offer_objects(completion); break;
        case 'm': offer_members(completion, visit_method); break;
        case 'a': offer_members(completion, visit_arguments); break;
        case 'p': offer_properties(completion); break;
        default: break;
        }
}

static void offer_verbs(Completion *completion)
{
        for (size_t i = 0; i < n_verbs; i++)
                if (!verbs[i].hidden)
                        offer(completion, verbs[i].name, "");
}

int cmd_complete(const Settings *settings, const char *const *operands, size_t count)
{
        size_t index = settings->index;
        CLEANUP(completion_done)
        Completion completion = {.settings = *settings, .client = {.signal_fd = -1}};

        if (index == 0 || index > count || index >= MAXIMUM_WORDS)
                return STATUS_OK;
        completion.word = index < count ? operands[index] : "";
        if (read_words(&completion, operands, index) < 0) {
                offer_values(&completion, operands[index - 1]);
        } else if (*completion.word == '-' && completion.word[1] != '\0') {
                offer_options(&completion, &settings_options);
                if (completion.verb)
                        offer_options(&completion, &completion.verb->options);
        } else if (!completion.verb) {
                offer_verbs(&completion);
        } else {
                offer_operands(&completion);
        }
        return report_print(&completion.text);
}
