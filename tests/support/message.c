/* SPDX-License-Identifier: MIT */

#include "tests/support/message.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buffer.h"
#include "common/json-write.h"

/* ---- the connection ---- */

static void must(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "test support: %s failed\n", what);
        abort();
}

void test_bus_init(TestBus *test)
{
        static const char answers[] = "DATA\r\n"
                                      "OK 0123456789abcdef0123456789abcdef\r\n"
                                      "AGREE_UNIX_FD\r\n";
        int fds[2];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0,
             "socketpair");
        must(sd_bus_new(&test->bus) == 0, "sd_bus_new");
        must(sd_bus_set_fd(test->bus, fds[0], fds[0]) == 0, "sd_bus_set_fd");
        must(sd_bus_negotiate_fds(test->bus, true) == 0, "sd_bus_negotiate_fds");
        must(sd_bus_start(test->bus) >= 0, "sd_bus_start");
        test->peer = fds[1];
        must(write(test->peer, answers, strlen(answers)) == (ssize_t)strlen(answers), "write");
        while (sd_bus_process(test->bus, NULL) > 0)
                ;
        must(sd_bus_is_open(test->bus) > 0, "handshake");
}

void test_bus_done(TestBus *test)
{
        sd_bus_close_unref(test->bus);
        close(test->peer);
}

sd_bus_message *test_message_new(TestBus *test)
{
        sd_bus_message *m = NULL;

        must(sd_bus_message_new_method_call(test->bus, &m, "org.example.Test", "/org/example/Test",
                                            "org.example.Test", "Test") >= 0,
             "sd_bus_message_new_method_call");
        return m;
}

void test_message_seal(sd_bus_message *m)
{
        must(sd_bus_message_seal(m, 1, 0) >= 0, "sd_bus_message_seal");
        must(sd_bus_message_rewind(m, true) >= 0, "sd_bus_message_rewind");
}

/* ---- raw messages ---- */

static void put_byte(Buffer *raw, unsigned value)
{
        buffer_append_char(raw, (char)value);
}

static void put_uint32(Buffer *raw, bool big_endian, uint32_t value)
{
        for (unsigned i = 0; i < 4; i++)
                put_byte(raw, value >> (big_endian ? 24 - 8 * i : 8 * i) & 0xff);
}

static void pad(Buffer *raw, size_t alignment)
{
        while (raw->length % alignment != 0)
                put_byte(raw, 0);
}

static void put_field(Buffer *raw, bool big_endian, unsigned code, char type, const char *value)
{
        pad(raw, 8);
        put_byte(raw, code);
        put_byte(raw, 1);
        put_byte(raw, (unsigned char)type);
        put_byte(raw, 0);
        if (type == 'g')
                put_byte(raw, (unsigned)strlen(value));
        else
                put_uint32(raw, big_endian, (uint32_t)strlen(value));
        buffer_append(raw, value, strlen(value) + 1);
}

static void put_message(Buffer *raw, bool big_endian, const char *signature, const void *body,
                        size_t length)
{
        CLEANUP_BUFFER Buffer fields = BUFFER_INIT(0);

        put_field(&fields, big_endian, 1, 'o', "/org/example/Test");
        put_field(&fields, big_endian, 2, 's', "org.example.Test");
        put_field(&fields, big_endian, 3, 's', "Test");
        put_field(&fields, big_endian, 8, 'g', signature);
        put_byte(raw, big_endian ? 'B' : 'l');
        put_byte(raw, SD_BUS_MESSAGE_SIGNAL);
        put_byte(raw, 0);
        put_byte(raw, 1);
        put_uint32(raw, big_endian, (uint32_t)length);
        put_uint32(raw, big_endian, 1);
        put_uint32(raw, big_endian, (uint32_t)fields.length);
        buffer_append(raw, buffer_text(&fields), fields.length);
        pad(raw, 8);
        buffer_append(raw, body, length);
}

sd_bus_message *test_message_receive(TestBus *test, bool big_endian, const char *signature,
                                     const void *body, size_t length)
{
        CLEANUP_BUFFER Buffer raw = BUFFER_INIT(0);
        sd_bus_message *m = NULL;
        int r;

        put_message(&raw, big_endian, signature, body, length);
        must(buffer_status(&raw) == 0, "buffer");
        must(write(test->peer, raw.data, raw.length) == (ssize_t)raw.length, "write");
        do {
                r = sd_bus_process(test->bus, &m);
        } while (r > 0 && !m);
        must(r > 0, "sd_bus_process");
        return m;
}

/* ---- the dump ---- */

typedef union Value {
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *text;
} Value;

static int dump_values(sd_bus_message *m, Buffer *out);

static int dump_basic(sd_bus_message *m, char code, Buffer *out)
{
        Value value;

        if (sd_bus_message_read_basic(m, code, &value) <= 0)
                return -1;
        switch (code) {
        case 'y': return json_write_uint64(out, value.y);
        case 'b': return buffer_append_text(out, value.b ? "true" : "false");
        case 'n': return json_write_int64(out, value.n);
        case 'q': return json_write_uint64(out, value.q);
        case 'i': return json_write_int64(out, value.i);
        case 'u': return json_write_uint64(out, value.u);
        case 'x': return json_write_int64(out, value.x);
        case 't': return json_write_uint64(out, value.t);
        case 'd':
                if (isnan(value.d))
                        return buffer_append_text(out, "nan"); /* whatever its sign and payload */
                return buffer_printf(out, "%.17g", value.d);
        case 'h': return buffer_append_text(out, "fd");
        default: return json_write_string(out, value.text, strlen(value.text));
        }
}

static int dump_container(sd_bus_message *m, char code, const char *contents, Buffer *out)
{
        CLEANUP_BUFFER Buffer inner = BUFFER_INIT(0);
        int count;

        if (code == SD_BUS_TYPE_VARIANT)
                buffer_printf(out, "%s ", contents);
        if (sd_bus_message_enter_container(m, code, contents) <= 0)
                return -1;
        count = dump_values(m, &inner);
        if (count < 0 || sd_bus_message_exit_container(m) < 0)
                return -1;
        if (code == SD_BUS_TYPE_ARRAY)
                buffer_printf(out, count > 0 ? "%d " : "%d", count);
        return buffer_append(out, buffer_text(&inner), inner.length);
}

/* All that is left in the container at hand; their number. */
static int dump_values(sd_bus_message *m, Buffer *out)
{
        const char *contents;
        int count = 0, r;
        char code;

        while ((r = sd_bus_message_peek_type(m, &code, &contents)) > 0) {
                if (count++ > 0)
                        buffer_append_char(out, ' ');
                if (contents)
                        r = dump_container(m, code, contents, out);
                else
                        r = dump_basic(m, code, out);
                if (r < 0)
                        return -1;
        }
        return r < 0 ? -1 : count;
}

char *test_message_dump(sd_bus_message *m)
{
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        int r;

        must(sd_bus_message_rewind(m, true) >= 0, "sd_bus_message_rewind");
        buffer_append_text(&out, sd_bus_message_get_signature(m, true));
        if (out.length > 0)
                buffer_append_char(&out, ' ');
        r = dump_values(m, &out);
        must(sd_bus_message_rewind(m, true) >= 0, "sd_bus_message_rewind");
        return r < 0 ? NULL : buffer_steal(&out);
}
