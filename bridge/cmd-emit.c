/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bridge/cmd.h"
#include "bridge/emit.h"

static const struct {
        const char *name;
        int (*emit)(const Policy *policy, Buffer *out);
} kinds[] = {
        {"acl", emit_acl},
        {"local-acl", emit_local_acl},
        {"mosquitto", emit_mosquitto},
};

static void print_help(void)
{
        printf("mqttrpc-bridge emit - configuration of other programs for the same policy\n"
               "\n"
               "Usage: mqttrpc-bridge emit KIND [--config FILE] [--output FILE]\n"
               "\n"
               "  acl        acl_file for a Mosquitto in the cloud: who may do what there\n"
               "  local-acl  lines for the acl_file of the local Mosquitto\n"
               "  mosquitto  the nearest that a bridge of Mosquitto itself can do\n"
               "\n"
               "  -c, --config FILE  the policy (%s)\n"
               "      --output FILE  write there (standard output)\n"
               "  -h, --help         show this help\n"
               "\n"
               "Exit status: 0, 1 if that is not to be had, 2 for a mistake in the command.\n",
               DEFAULT_POLICY_PATH);
}

static int write_out(const char *path, const Buffer *buffer)
{
        FILE *file = path ? fopen(path, "we") : stdout;
        bool failed;

        failed = !file || fwrite(buffer_text(buffer), 1, buffer->length, file) != buffer->length ||
                 fflush(file) != 0;
        if (path && file && fclose(file) != 0)
                failed = true;
        if (!failed)
                return EXIT_SUCCESS;
        fprintf(stderr, "error: cannot write %s: %s\n", path ? path : "to standard output",
                strerrordesc_np(errno));
        return EXIT_FAILURE;
}

static int emit(size_t kind, const CmdOptions *options)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_POLICY Policy *policy = NULL;
        int r;

        if (cmd_load(options->config, &policy) < 0)
                return EXIT_FAILURE;
        r = kinds[kind].emit(policy, &buffer);
        if (r == -EINVAL)
                fprintf(stderr, "error: this is not to be had for a cloud at a unix socket\n");
        else if (r < 0)
                fprintf(stderr, "error: %s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : write_out(options->output, &buffer);
}

int cmd_emit(int argc, char **argv)
{
        CmdOptions options;

        cmd_parse(argc, argv, "co", print_help, &options);
        if (options.done)
                return options.status;
        if (optind >= argc)
                return cmd_usage_error("emit", "name what to emit");
        if (optind + 1 < argc)
                return cmd_usage_error("emit", "unexpected argument '%s'", argv[optind + 1]);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (strcmp(argv[optind], kinds[i].name) == 0)
                        return emit(i, &options);
        return cmd_usage_error("emit", "'%s' is nothing that can be emitted", argv[optind]);
}
