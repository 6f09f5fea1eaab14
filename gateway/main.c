/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "gateway/cmd.h"

static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
} verbs[] = {
        {"run", cmd_run},         {"check", cmd_check},     {"generate", cmd_generate},
        {"diff", cmd_diff},       {"emit", cmd_emit},       {"status", cmd_status},
        {"reload", cmd_reload},   {"release", cmd_release}, {"verify", cmd_verify},
        {"migrate", cmd_migrate},
};

int main(int argc, char **argv)
{
        for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        return verbs[i].run(argc - 1, argv + 1);
        return cmd_run(argc, argv);
}
