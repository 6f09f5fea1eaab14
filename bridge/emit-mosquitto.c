/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/emit.h"

static const char introduction[] =
        "# A bridge of Mosquitto itself that comes nearest to the policy of mqttrpc-bridge. What "
        "it\n"
        "# does not do:\n"
        "#\n"
        "# - It does not limit what the cloud sends: the lines below are what it subscribes to, "
        "and\n"
        "#   a broker that sends something else below them gets through.\n"
        "# - Callers keep their names, so a cloud user is to local services who he says he is.\n"
        "#   Grant the users of the cloud names that no local user has.\n"
        "# - No rates, sizes or audit, and calls that come late are executed late.\n"
        "# - What waits for the cloud is in the memory of the local broker, and gone with it.\n"
        "# - State that changed often while the cloud was away fills the queue with old values.\n"
        "# - Topics that are gone here stay in the cloud if they went while it was away.\n"
        "# - Changes need a restart of the broker; SIGHUP does not reload bridges.\n\n";

static void write_connection(const Policy *policy, Buffer *out)
{
        const Endpoint *cloud = &policy->cloud;

        buffer_printf(out, "connection %s\n", policy->cloud.client_id);
        buffer_printf(out, "address %s:%u\n", cloud->address.host, (unsigned)cloud->address.port);
        buffer_printf(out, "bridge_protocol_version %s\n",
                      cloud->protocol == 0 ? "mqttv50" : "mqttv311");
        buffer_printf(out, "remote_clientid %s\n", cloud->client_id);
        buffer_printf(out, "local_clientid %s-cloud\n", policy->local.client_id);
        if (cloud->user)
                buffer_printf(out, "remote_username %s\n", cloud->user);
        if (cloud->password_file)
                buffer_printf(out, "# The password has to stand here, there is no key for a file:\n"
                                   "# remote_password\n");
        if (cloud->address.tls && !cloud->psk_file)
                buffer_printf(out, cloud->ca_file ? "bridge_cafile %s\n" : "bridge_capath %s\n",
                              cloud->ca_file ? cloud->ca_file : "/etc/ssl/certs");
        if (cloud->cert_file)
                buffer_printf(out, "bridge_certfile %s\nbridge_keyfile %s\n", cloud->cert_file,
                              cloud->key_file);
        if (cloud->alpn)
                buffer_printf(out, "bridge_alpn %s\n", cloud->alpn);
        if (cloud->psk_file)
                buffer_printf(out,
                              "bridge_identity %s\n"
                              "# The key has to stand here, there is no key for a file:\n"
                              "# bridge_psk\n",
                              cloud->psk_identity);
        buffer_printf(out, "keepalive_interval %u\n", cloud->keepalive_s);
        buffer_printf(out,
                      "cleansession false\n"
                      "try_private true\n"
                      "restart_timeout 1 60\n"
                      "notification_topic %s/$node\n"
                      "notifications_local_only false\n\n",
                      policy->prefix);
}

static void write_topic(const Policy *policy, Buffer *out, const char *tail, const char *direction,
                        unsigned qos)
{
        buffer_printf(out, "topic %s %s %u %s/ %s/\n", tail, direction, qos, policy->root,
                      policy->prefix);
}

static void write_item(const Policy *policy, Buffer *out, const PublishRule *rule, const char *kind,
                       const char *pattern)
{
        CLEANUP_FREE char *tail = NULL;

        if (asprintf(&tail, "%s/%s/%s/%s", emit_level(rule->service), emit_level(rule->object),
                     kind, emit_level(pattern)) < 0) {
                tail = NULL;
                out->status = -ENOMEM;
                return;
        }
        if (!emit_is_exact(rule->service) || !emit_is_exact(rule->object) ||
            !emit_is_exact(pattern))
                buffer_printf(out, "# wider than the policy, which has %s/%s/%s/%s\n",
                              rule->service, rule->object, kind, pattern);
        write_topic(policy, out, tail, "out", rule->qos);
}

static void write_publish(const Policy *policy, Buffer *out)
{
        static const char *const tails[] = {"$state", "$api", "+/$meta"};

        for (size_t i = 0; i < policy->n_publish; i++) {
                const PublishRule *rule = &policy->publish[i];

                for (size_t j = 0; j < ARRAY_SIZE(tails); j++) {
                        CLEANUP_FREE char *tail = NULL;

                        if (asprintf(&tail, "%s/%s", emit_level(rule->service), tails[j]) < 0) {
                                tail = NULL;
                                out->status = -ENOMEM;
                                return;
                        }
                        write_topic(policy, out, tail, "out", 1);
                }
                for (size_t j = 0; j < rule->properties.count; j++)
                        write_item(policy, out, rule, "prop", rule->properties.items[j]);
                for (size_t j = 0; j < rule->signals.count; j++)
                        write_item(policy, out, rule, "sig", rule->signals.items[j]);
        }
}

static void write_call(const Policy *policy, Buffer *out, const AllowRule *rule, const char *method,
                       const char *caller)
{
        CLEANUP_FREE char *request = NULL, *reply = NULL;

        if (asprintf(&request, "%s/%s/call/%s/%s", emit_level(rule->service),
                     emit_level(rule->object), emit_level(method), caller) < 0)
                request = NULL;
        if (!request || asprintf(&reply, "%s/+", request) < 0)
                reply = NULL;
        if (!reply) {
                out->status = -ENOMEM;
                return;
        }
        write_topic(policy, out, request, "in", 1);
        write_topic(policy, out, reply, "out", 1);
}

int emit_mosquitto(const Policy *policy, Buffer *out)
{
        if (policy->cloud.address.port == 0)
                return -EINVAL;
        buffer_append_text(out, introduction);
        write_connection(policy, out);
        write_publish(policy, out);
        for (size_t i = 0; i < policy->n_allow; i++) {
                const AllowRule *rule = &policy->allow[i];

                for (size_t j = 0; j < rule->methods.count; j++) {
                        for (size_t k = 0; k < rule->callers.count; k++)
                                write_call(policy, out, rule, rule->methods.items[j],
                                           rule->callers.items[k]);
                        if (rule->others)
                                write_call(policy, out, rule, rule->methods.items[j], "+");
                }
        }
        return buffer_status(out);
}
