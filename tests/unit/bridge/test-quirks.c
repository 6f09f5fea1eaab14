/* SPDX-License-Identifier: MIT */

#include "bridge/quirks.h"

#include "bridge/core.h"

#include <glib.h>

#include "common/limits.h"
#include "tests/unit/bridge/load.h"

static void test_each_name_has_its_own(void)
{
        for (size_t i = 0; quirks_names[i]; i++) {
                const Quirks *quirks = quirks_get(i);

                g_assert_cmpstr(quirks->name, ==, quirks_names[i]);
                g_assert_cmpuint(quirks->inflight, >, 0);
                g_assert_cmpuint(quirks->topic_bytes, >, 0);
                g_assert_cmpuint(quirks->message_bytes, >, 0);
                g_assert_cmpuint(quirks->message_bytes, <=, LIMIT_PAYLOAD_BYTES);
        }
}

static void test_what_fits(void)
{
        CLEANUP_POLICY Policy *policy = load_policy(
                ",\"limits\":{\"topic_levels\":9,\"topic_bytes\":30,\"message_bytes\":10}");
        Core core = {.policy = policy};

        g_assert_true(core_fits(&core, "a/b/c/d/e/f/g/h/i", 10));
        g_assert_false(core_fits(&core, "a/b/c/d/e/f/g/h/i/j", 10));
        g_assert_false(core_fits(&core, "a", 11));
        g_assert_true(core_fits(&core, "012345678901234567890123456789", 0));
        g_assert_false(core_fits(&core, "0123456789012345678901234567890", 0));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/quirks/each-name-has-its-own", test_each_name_has_its_own);
        g_test_add_func("/quirks/what-fits", test_what_fits);
        return g_test_run();
}
