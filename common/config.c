/* SPDX-License-Identifier: MIT */

#include "common/config.h"

#include <errno.h>
#include <string.h>

int config_init(Config *config, const JsonField *fields, size_t n_fields, void *values,
                Error **ret_error)
{
        int r;

        *config = (Config){.fields = fields, .n_fields = n_fields, .values = values};
        for (size_t i = 0; i < n_fields; i++) {
                if (!fields[i].fallback)
                        continue;
                r = json_field_set_text(&fields[i], values, fields[i].fallback, ret_error);
                if (r < 0) {
                        error_prefix(ret_error, "default of %s: ", fields[i].key);
                        config_done(config);
                        return r;
                }
        }
        return 0;
}

void config_done(Config *config)
{
        if (config->values)
                json_fields_done(config->fields, config->n_fields, config->values);
        *config = (Config){};
}

int config_set(Config *config, const char *key, const char *text, Error **ret_error)
{
        uint64_t bit;
        size_t i = 0;
        int r;

        while (i < config->n_fields && strcmp(config->fields[i].key, key) != 0)
                i++;
        if (i == config->n_fields)
                return error_set(ret_error, -ENOENT, "there is no setting '%s'", key);
        bit = UINT64_C(1) << i;
        if (config->fields[i].type == JSON_FIELD_PATHS && !(config->fixed & bit))
                json_fields_done(&config->fields[i], 1, config->values);
        r = json_field_set_text(&config->fields[i], config->values, text, ret_error);
        if (r < 0) {
                error_prefix(ret_error, "%s: ", key);
                return r;
        }
        config->fixed |= bit;
        return 0;
}

static void read_key(Config *config, JsonFile *file, uint32_t key)
{
        const JsonField *field;

        field = json_fields_find(file, key, config->fields, config->n_fields);
        if (!field || config->fixed & UINT64_C(1) << (field - config->fields))
                return;
        json_field_read(file, key + 1, field, config->values);
}

int config_load(Config *config, const char *path, Diagnostics *diagnostics)
{
        CLEANUP_JSON_FILE JsonFile file = {};
        int r;

        r = json_file_load(&file, path, diagnostics);
        if (r < 0)
                return r;
        if (json_file_expect(&file, 0, JSON_OBJECT))
                JSON_FOREACH (&file.doc, 0, key)
                        read_key(config, &file, key);
        return json_file_failed(&file) ? -EINVAL : 0;
}
