/* SPDX-License-Identifier: MIT */

#include "common/base64.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Pair {
        const char *bytes;
        const char *text;
} Pair;

/* RFC 4648 section 10, and the two characters beyond letters and digits. */
static const Pair pairs[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
};

static void test_both_ways(void)
{
        for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
                size_t length = strlen(pairs[i].bytes), decoded;
                char text[16] = {}, bytes[16] = {};

                g_assert_cmpuint(base64_encoded_length(length), ==, strlen(pairs[i].text));
                base64_encode(pairs[i].bytes, length, text);
                g_assert_cmpstr(text, ==, pairs[i].text);
                g_assert_cmpint(base64_decoded_length(text, strlen(text), &decoded), ==, 0);
                g_assert_cmpuint(decoded, ==, length);
                g_assert_cmpint(base64_check(text, strlen(text)), ==, 0);
                g_assert_cmpint(base64_decode(text, strlen(text), bytes), ==, 0);
                g_assert_cmpstr(bytes, ==, pairs[i].bytes);
        }
}

static void test_refuses_what_it_would_not_write(void)
{
        static const char *const bad[] = {
                "Zg",   "Zg=",  "Zg===", "Z===", "====",     "=Zg=",   "Zh==",
                "Zm9=", "Zm9!", "Z g=",  "-_-_", "Zm8=Zm8=", "Zm9v\n", "=",
        };

        for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
                size_t decoded;
                char bytes[16];
                int r;

                r = base64_decoded_length(bad[i], strlen(bad[i]), &decoded);
                if (r == 0)
                        r = base64_decode(bad[i], strlen(bad[i]), bytes);
                g_assert_cmpint(r, ==, -EINVAL);
                g_assert_cmpint(base64_check(bad[i], strlen(bad[i])), ==, -EINVAL);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/base64/both-ways", test_both_ways);
        g_test_add_func("/base64/refuses-what-it-would-not-write",
                        test_refuses_what_it_would_not_write);
        return g_test_run();
}
