/* SPDX-License-Identifier: MIT */

#include "tests/support/fake-broker.h"

#include "tests/support/loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { CONNECT = 1, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, UNSUBSCRIBE = 10, PINGREQ = 12 };

struct FakeBroker {
        char *path;
        char *uri;
        int listener;
        int client; /* -1: none */
        GByteArray *input;
        GPtrArray *topics; /* char *, of what was published to us */
        char *echo;
        unsigned char puback;
        bool keeps_session, silent;
        unsigned n_subscribes, n_pubacks, n_connects;
        guint16 next_id;
};

static int get_fd(void *userdata)
{
        FakeBroker *broker = userdata;

        return broker->client >= 0 ? broker->client : broker->listener;
}

static int get_events(void *userdata)
{
        return POLLIN;
}

static uint64_t get_timeout(void *userdata)
{
        return UINT64_MAX;
}

static void process(void *userdata, int revents)
{
        fake_broker_process(userdata);
}

FakeBroker *fake_broker_new(TempDir *dir)
{
        FakeBroker *broker = g_new0(FakeBroker, 1);
        g_autofree char *folder = temp_dir_make(dir, "fake-broker");
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        broker->path = g_build_filename(folder, "socket", NULL);
        broker->uri = g_strconcat("unix://", broker->path, NULL);
        broker->input = g_byte_array_new();
        broker->topics = g_ptr_array_new_with_free_func(g_free);
        broker->client = -1;
        broker->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_cmpuint(strlen(broker->path), <, sizeof(address.sun_path));
        strcpy(address.sun_path, broker->path);
        g_assert_cmpint(bind(broker->listener, (const struct sockaddr *)&address, sizeof(address)),
                        ==, 0);
        g_assert_cmpint(listen(broker->listener, 8), ==, 0);
        loop_add(&(LoopItem){get_fd, get_events, get_timeout, process, broker});
        return broker;
}

static void hang_up(FakeBroker *broker)
{
        if (broker->client >= 0)
                close(broker->client);
        broker->client = -1;
        g_byte_array_set_size(broker->input, 0);
}

FakeBroker *fake_broker_free(FakeBroker *broker)
{
        if (!broker)
                return NULL;
        loop_remove(broker);
        hang_up(broker);
        close(broker->listener);
        g_byte_array_unref(broker->input);
        g_ptr_array_unref(broker->topics);
        g_free(broker->path);
        g_free(broker->uri);
        g_free(broker->echo);
        g_free(broker);
        return NULL;
}

void fake_broker_keep_session(FakeBroker *broker)
{
        broker->keeps_session = true;
}

void fake_broker_hang_up(FakeBroker *broker)
{
        hang_up(broker);
}

const char *fake_broker_get_uri(const FakeBroker *broker)
{
        return broker->uri;
}

void fake_broker_be_silent(FakeBroker *broker)
{
        broker->silent = true;
}

void fake_broker_set_puback(FakeBroker *broker, unsigned char reason)
{
        broker->puback = reason;
}

void fake_broker_set_echo(FakeBroker *broker, const char *topic_suffix)
{
        g_free(broker->echo);
        broker->echo = g_strdup(topic_suffix);
}

/* ---- writing ---- */

static void append_length(GByteArray *out, gsize length)
{
        do {
                guint8 byte = length % 128;

                length /= 128;
                byte |= length > 0 ? 0x80 : 0;
                g_byte_array_append(out, &byte, 1);
        } while (length > 0);
}

static void append_text(GByteArray *out, const char *text)
{
        guint8 length[] = {(guint8)(strlen(text) >> 8), (guint8)strlen(text)};

        g_byte_array_append(out, length, sizeof(length));
        g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

void fake_broker_send(FakeBroker *broker, const void *data, size_t length)
{
        const char *at = data;

        while (broker->client >= 0 && length > 0) {
                ssize_t n = send(broker->client, at, length, MSG_NOSIGNAL);

                if (n > 0) {
                        at += n;
                        length -= (size_t)n;
                } else if (errno == EAGAIN) {
                        poll(&(struct pollfd){broker->client, POLLOUT, 0}, 1, WAIT_MSEC);
                } else {
                        hang_up(broker);
                }
        }
}

/* A packet as one write, so that the client never sees half of it. */
static void send_packet(FakeBroker *broker, guint8 first, const guint8 *body, gsize length)
{
        g_autoptr(GByteArray) packet = g_byte_array_new();

        g_byte_array_append(packet, &first, 1);
        append_length(packet, length);
        g_byte_array_append(packet, body, (guint)length);
        fake_broker_send(broker, packet->data, packet->len);
}

void fake_broker_publish(FakeBroker *broker, const char *topic, const void *payload, size_t length,
                         int qos, bool retain, const char *response_topic)
{
        g_autoptr(GByteArray) body = g_byte_array_new();
        g_autoptr(GByteArray) properties = g_byte_array_new();
        guint8 response = 8, id[2];

        append_text(body, topic);
        if (qos > 0) {
                broker->next_id++;
                id[0] = (guint8)(broker->next_id >> 8);
                id[1] = (guint8)broker->next_id;
                g_byte_array_append(body, id, sizeof(id));
        }
        if (response_topic) {
                g_byte_array_append(properties, &response, 1);
                append_text(properties, response_topic);
        }
        append_length(body, properties->len);
        g_byte_array_append(body, properties->data, properties->len);
        g_byte_array_append(body, payload, (guint)length);
        send_packet(broker, (guint8)(PUBLISH << 4 | qos << 1 | retain), body->data, body->len);
}

void fake_broker_repeat(FakeBroker *broker, const char *topic, const char *payload, guint16 id)
{
        g_autoptr(GByteArray) body = g_byte_array_new();
        const guint8 behind[] = {(guint8)(id >> 8), (guint8)id, 0};

        append_text(body, topic);
        g_byte_array_append(body, behind, sizeof(behind));
        g_byte_array_append(body, (const guint8 *)payload, (guint)strlen(payload));
        send_packet(broker, PUBLISH << 4 | 8 | 1 << 1, body->data, body->len);
}

/* ---- reading ---- */

static void answer_publish(FakeBroker *broker, guint8 flags, const guint8 *body, gsize length)
{
        gsize n_topic = (gsize)body[0] << 8 | body[1], at = 2 + n_topic;
        char *topic = g_strndup((const char *)body + 2, n_topic);
        guint8 answer[] = {body[at], body[at + 1], broker->puback};

        g_ptr_array_add(broker->topics, topic);
        if ((flags & 2) && !broker->silent)
                send_packet(broker, PUBACK << 4, answer, broker->puback ? 3 : 2);
        if (flags & 2)
                at += 2;
        if (broker->echo && g_str_has_suffix(topic, broker->echo)) {
                at += 1u + body[at]; /* properties, of fewer than 128 bytes */
                fake_broker_publish(broker, topic, body + at, length - at, 1, false, NULL);
        }
}

static unsigned count_filters(const guint8 *body, gsize length, bool options)
{
        gsize at = 2;
        unsigned n = 0;

        at += 1u + body[at];
        for (; at < length; n++)
                at += 2 + ((gsize)body[at] << 8 | body[at + 1]) + options;
        return n;
}

static void answer_subscribe(FakeBroker *broker, guint8 kind, const guint8 *body, gsize length)
{
        unsigned n = count_filters(body, length, kind == SUBSCRIBE);
        g_autofree guint8 *answer = g_malloc0(3 + n);

        answer[0] = body[0];
        answer[1] = body[1];
        for (unsigned i = 0; i < n && kind == SUBSCRIBE; i++)
                answer[3 + i] = 1;
        broker->n_subscribes += kind == SUBSCRIBE;
        send_packet(broker, (guint8)((kind + 1) << 4), answer, 3 + n);
}

static void answer(FakeBroker *broker, guint8 first, const guint8 *body, gsize length)
{
        const guint8 connack[] = {broker->keeps_session, 0, 0};

        switch (first >> 4) {
        case CONNECT:
                broker->n_connects++;
                send_packet(broker, 2 << 4, connack, sizeof(connack));
                break;
        case PUBLISH: answer_publish(broker, first & 15, body, length); break;
        case PUBACK: broker->n_pubacks++; break;
        case SUBSCRIBE:
        case UNSUBSCRIBE: answer_subscribe(broker, first >> 4, body, length); break;
        case PINGREQ: send_packet(broker, 13 << 4, NULL, 0); break;
        default: break;
        }
}

/* Takes one packet off the input; false if there is no whole one. */
static bool take_packet(FakeBroker *broker)
{
        const guint8 *data = broker->input->data;
        gsize at = 1, length = 0, shift = 0;

        for (;; at++, shift += 7) {
                if (at >= broker->input->len)
                        return false;
                length |= (gsize)(data[at] & 127) << shift;
                if (!(data[at] & 128))
                        break;
        }
        at++;
        if (broker->input->len < at + length)
                return false;
        answer(broker, data[0], data + at, length);
        if (broker->client >= 0)
                g_byte_array_remove_range(broker->input, 0, (guint)(at + length));
        return broker->client >= 0;
}

void fake_broker_process(FakeBroker *broker)
{
        guint8 buffer[65536];
        ssize_t n;

        if (broker->client < 0)
                broker->client =
                        accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        while (broker->client >= 0) {
                n = recv(broker->client, buffer, sizeof(buffer), 0);
                if (n < 0 && errno == EAGAIN)
                        break;
                if (n <= 0) {
                        hang_up(broker);
                        break;
                }
                g_byte_array_append(broker->input, buffer, (guint)n);
                while (take_packet(broker))
                        ;
        }
}

/* ---- what has come ---- */

bool fake_broker_is_connected(const FakeBroker *broker)
{
        return broker->client >= 0;
}

unsigned fake_broker_count_subscribes(const FakeBroker *broker)
{
        return broker->n_subscribes;
}

unsigned fake_broker_count_pubacks(const FakeBroker *broker)
{
        return broker->n_pubacks;
}

unsigned fake_broker_count_connects(const FakeBroker *broker)
{
        return broker->n_connects;
}

unsigned fake_broker_count_published(const FakeBroker *broker, const char *text)
{
        unsigned n = 0;

        for (guint i = 0; i < broker->topics->len; i++)
                n += strstr(broker->topics->pdata[i], text) != NULL;
        return n;
}
