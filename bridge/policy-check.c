/* SPDX-License-Identifier: MIT */

/* The second half of policy-load.h: what holds between the members of a policy, and between it and
 * the files that it names. */

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/policy-load.h"
#include "common/limits.h"

/* The longest that each kind of topic adds to a name: "/call/" and the like. */
enum { RESERVED_LEVELS = 6 };

/* Days before its end from which a certificate is worth a word. */
enum { SOON_DAYS = 30 };

static uint32_t find(const JsonFile *file, uint32_t object, const char *key)
{
        uint32_t node = json_find(&file->doc, object, key);

        return node > 0 ? node : object;
}

static uint32_t find_item(const JsonFile *file, const char *list, size_t index)
{
        uint32_t node = json_find(&file->doc, 0, list);

        if (node == 0)
                return 0;
        JSON_FOREACH (&file->doc, node, item)
                if (index-- == 0)
                        return item;
        return node;
}

/* ---- brokers ---- */

static void check_secret(JsonFile *file, uint32_t node, const char *key, const char *path)
{
        uint32_t at = find(file, node, key);
        struct stat status;

        if (!path)
                return;
        if (stat(path, &status) < 0)
                json_file_error(file, at, "cannot read %s: %s", path, strerrordesc_np(errno));
        else if (status.st_mode & S_IRWXO)
                json_file_error(file, at,
                                "%s is open to everybody: take the rights of others away "
                                "(chmod o= %s)",
                                path, path);
        else if (access(path, R_OK) < 0)
                json_file_error(file, at, "cannot read %s: %s", path, strerrordesc_np(errno));
}

static void close_file(FILE **file)
{
        if (*file)
                fclose(*file);
}

static void free_certificate(X509 **certificate)
{
        X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
        EVP_PKEY_free(*key);
}

/* A key with a passphrase would make the program ask on its terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *userdata)
{
        return -1;
}

static void check_dates(JsonFile *file, uint32_t at, const char *path, const X509 *cert)
{
        int days = 0, seconds = 0;

        if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
                json_file_error(file, at, "the certificate %s is not valid yet", path);
        if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
                json_file_error(file, at, "the certificate %s has expired", path);
        else if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1 &&
                 days < SOON_DAYS)
                json_file_warning(file, at, "the certificate %s expires in %d day%s", path, days,
                                  days == 1 ? "" : "s");
}

static void check_certificate(JsonFile *file, uint32_t node, const Endpoint *endpoint)
{
        CLEANUP(close_file) FILE *cert_file = fopen(endpoint->cert_file, "re");
        CLEANUP(close_file) FILE *key_file = fopen(endpoint->key_file, "re");
        CLEANUP(free_certificate) X509 *cert = NULL;
        CLEANUP(free_key) EVP_PKEY *key = NULL;
        uint32_t cert_at = find(file, node, "cert_file"), key_at = find(file, node, "key_file");

        if (cert_file)
                cert = PEM_read_X509(cert_file, NULL, NULL, NULL);
        if (key_file)
                key = PEM_read_PrivateKey(key_file, NULL, no_passphrase, NULL);
        if (!cert)
                json_file_error(file, cert_at, "there is no certificate to be read in %s",
                                endpoint->cert_file);
        if (!key && key_file)
                json_file_error(file, key_at, "there is no key without passphrase in %s",
                                endpoint->key_file);
        if (cert && key && X509_check_private_key(cert, key) != 1)
                json_file_error(file, key_at, "%s is not the key of the certificate %s",
                                endpoint->key_file, endpoint->cert_file);
        if (cert)
                check_dates(file, cert_at, endpoint->cert_file, cert);
}

static void check_tls(JsonFile *file, uint32_t node, const Endpoint *endpoint)
{
        bool uses_tls = endpoint->address.tls;
        bool has_files =
                endpoint->ca_file || endpoint->cert_file || endpoint->alpn || endpoint->psk_file;

        if (!uses_tls && has_files)
                json_file_error(file, find(file, node, "uri"),
                                "certificates and keys are of no use without mqtts://");
        if (!endpoint->cert_file != !endpoint->key_file)
                json_file_error(file, node, "cert_file and key_file are only of use together");
        else if (endpoint->cert_file)
                check_certificate(file, node, endpoint);
        if (!endpoint->psk_file != !endpoint->psk_identity)
                json_file_error(file, node, "psk_file and psk_identity are only of use together");
        if (endpoint->psk_file && (endpoint->ca_file || endpoint->cert_file))
                json_file_error(file, node, "either certificates or a shared key, not both");
        if (endpoint->ca_file && access(endpoint->ca_file, R_OK) < 0)
                json_file_error(file, find(file, node, "ca_file"), "cannot read %s: %s",
                                endpoint->ca_file, strerrordesc_np(errno));
        if (!uses_tls && !endpoint->insecure && !address_is_local(&endpoint->address))
                json_file_error(file, find(file, node, "uri"),
                                "passwords and data would cross the network in the clear: use "
                                "mqtts://, or say \"insecure\": true");
}

static void check_endpoint(JsonFile *file, const char *name, const Endpoint *endpoint)
{
        uint32_t node = json_find(&file->doc, 0, name);

        check_secret(file, node, "password_file", endpoint->password_file);
        check_secret(file, node, "key_file", endpoint->key_file);
        check_secret(file, node, "psk_file", endpoint->psk_file);
        if (endpoint->password_file && !endpoint->user)
                json_file_error(file, node, "password_file is of no use without user");
        check_tls(file, node, endpoint);
}

static void check_brokers(const Policy *policy, JsonFile *file)
{
        const Address *local = &policy->local.address, *cloud = &policy->cloud.address;

        check_endpoint(file, "local", &policy->local);
        check_endpoint(file, "cloud", &policy->cloud);
        if (policy->local.protocol != 0)
                json_file_error(file, json_find(&file->doc, 0, "local"),
                                "the local broker has to be spoken to by MQTT 5");
        if (address_is_same(local, cloud))
                json_file_error(file, json_find(&file->doc, 0, "cloud"),
                                "this is the local broker: both sides would be the same");
}

/* ---- rules ---- */

static const char *meets(const WordList *a, const WordList *b)
{
        for (size_t i = 0; i < a->count; i++)
                for (size_t j = 0; j < b->count; j++)
                        if (pattern_meets(a->items[i], b->items[j]))
                                return a->items[i];
        return NULL;
}

static void check_publish(const Policy *policy, JsonFile *file)
{
        for (size_t i = 0; i < policy->n_publish; i++) {
                const PublishRule *rule = &policy->publish[i];
                uint32_t node = find_item(file, "publish", i);

                if (rule->properties.count + rule->signals.count == 0)
                        json_file_error(file, node,
                                        "neither properties nor signals: this "
                                        "publishes nothing");
                if (rule->signals.count > 0 && (rule->on_demand || rule->min_interval_usec > 0))
                        json_file_error(file, node,
                                        "min_interval_ms and on_demand are for properties; give "
                                        "the signals a rule of their own");
                for (size_t j = 0; j < i; j++) {
                        const PublishRule *other = &policy->publish[j];
                        const char *word;

                        if (!pattern_meets(rule->service, other->service) ||
                            !pattern_meets(rule->object, other->object))
                                continue;
                        word = meets(&rule->properties, &other->properties);
                        if (!word)
                                word = meets(&rule->signals, &other->signals);
                        if (word)
                                json_file_error(file, node,
                                                "'%s' of %s/%s is in rule %zu of publish as well",
                                                word, rule->service, rule->object, j);
                }
        }
}

static bool callers_meet(const AllowRule *a, const AllowRule *b)
{
        return meets(&a->callers, &b->callers) || (a->others && b->others);
}

static void check_allow_rule(const Policy *policy, JsonFile *file, size_t index)
{
        const AllowRule *rule = &policy->allow[index];
        uint32_t node = find_item(file, "allow", index);

        if (rule->callers.count == 0 && !rule->others)
                json_file_error(file, node, "no callers: this allows nothing");
        if (rule->methods.count == 0)
                json_file_error(file, node, "no methods: this allows nothing");
        if (!pattern_is_name(rule->service) && !policy->allow_any_service)
                json_file_error(file, find(file, node, "service"),
                                "calls to whatever service there is, or will be: name it, or say "
                                "\"allow_any_service\": true");
        for (size_t j = 0; j < index; j++) {
                const AllowRule *other = &policy->allow[j];
                const char *word;

                if (!pattern_meets(rule->service, other->service) ||
                    !pattern_meets(rule->object, other->object) || !callers_meet(rule, other))
                        continue;
                word = meets(&rule->methods, &other->methods);
                if (word)
                        json_file_error(file, node, "'%s' of %s/%s is in rule %zu of allow as well",
                                        word, rule->service, rule->object, j);
        }
}

static void check_allow(const Policy *policy, JsonFile *file)
{
        size_t n_callers = 0;

        for (size_t i = 0; i < policy->n_allow; i++) {
                check_allow_rule(policy, file, i);
                n_callers += policy->allow[i].callers.count;
        }
        if (n_callers > LIMIT_BRIDGE_CALLERS)
                json_file_error(file, json_find(&file->doc, 0, "allow"),
                                "more than %u callers in all", LIMIT_BRIDGE_CALLERS);
}

/* ---- bounds of the cloud ---- */

/* The longest text of a list. */
static const char *find_longest(const WordList *list)
{
        const char *longest = "";

        for (size_t i = 0; i < list->count; i++)
                if (strlen(list->items[i]) > strlen(longest))
                        longest = list->items[i];
        return longest;
}

/* A '*' stands for one character at least, as names go. */
static void check_rule_topic(const Policy *policy, JsonFile *file, uint32_t node,
                             const char *service, const char *object, const char *rest,
                             size_t n_more)
{
        size_t bytes = strlen(policy->prefix) + strlen(service) + strlen(object) + strlen(rest) +
                       n_more + strlen("////");

        if (bytes > policy->quirks.topic_bytes)
                json_file_error(file, node,
                                "the topic of '%s' of %s/%s has %zu bytes in the cloud, and %s "
                                "takes %u",
                                rest, service, object, bytes, policy->quirks.name,
                                policy->quirks.topic_bytes);
}

static void check_rule_topics(const Policy *policy, JsonFile *file)
{
        for (size_t i = 0; i < policy->n_publish; i++) {
                const PublishRule *rule = &policy->publish[i];
                uint32_t node = find_item(file, "publish", i);

                check_rule_topic(policy, file, node, rule->service, rule->object,
                                 find_longest(&rule->properties), strlen("prop"));
                check_rule_topic(policy, file, node, rule->service, rule->object,
                                 find_longest(&rule->signals), strlen("sig"));
        }
        for (size_t i = 0; i < policy->n_allow; i++) {
                const AllowRule *rule = &policy->allow[i];

                check_rule_topic(policy, file, find_item(file, "allow", i), rule->service,
                                 rule->object, find_longest(&rule->methods),
                                 strlen("call//reply") + strlen(find_longest(&rule->callers)));
        }
}

static void check_topics(const Policy *policy, JsonFile *file)
{
        unsigned levels = topic_count_levels(policy->prefix) + RESERVED_LEVELS;
        size_t bytes = strlen(policy->prefix) + strlen("/s/-/call/m/c/reply");
        uint32_t node = json_find(&file->doc, 0, "node");

        if (policy->quirks.topic_levels > 0 && levels > policy->quirks.topic_levels)
                json_file_error(file, node,
                                "replies have topics of %u levels under this node and root, and "
                                "%s takes %u",
                                levels, policy->quirks.name, policy->quirks.topic_levels);
        if (bytes > policy->quirks.topic_bytes)
                json_file_error(file, node,
                                "topics would be longer than the %u bytes that %s takes",
                                policy->quirks.topic_bytes, policy->quirks.name);
        if (!policy->quirks.retain)
                json_file_warning(file, 0,
                                  "the cloud keeps nothing: state is sent again at each connect, "
                                  "and who subscribes later sees it at its next change");
}

void policy_check(const Policy *policy, JsonFile *file)
{
        check_brokers(policy, file);
        check_publish(policy, file);
        check_allow(policy, file);
        check_topics(policy, file);
        check_rule_topics(policy, file);
}
