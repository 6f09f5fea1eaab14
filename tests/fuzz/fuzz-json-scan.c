/* SPDX-License-Identifier: MIT */

#include <stdint.h>

#include "common/json-scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every node of an accepted text lies inside it, and every reader of values bears every node. */
static void check_node(const JsonDoc *doc, uint32_t i)
{
        CLEANUP_FREE char *text = NULL;
        uint64_t u;
        int64_t s;
        double d;

        if (doc->nodes[i].start >= doc->nodes[i].end || doc->nodes[i].end > doc->length ||
            doc->nodes[i].next <= i || doc->nodes[i].next > doc->n_nodes)
                abort();
        (void)json_string_dup(doc, i, &text);
        (void)json_int64(doc, i, &s);
        (void)json_uint64(doc, i, &u);
        (void)json_double(doc, i, &d);
        (void)json_find(doc, i, "key");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        JsonScanFlags flags = size > 0 && data[0] == '/' ? JSON_SCAN_COMMENTS : JSON_SCAN_STRICT;

        if (json_scan(&doc, (const char *)data, size, flags) < 0) {
                if (!doc.error_reason || doc.error_offset > size)
                        abort();
                return 0;
        }
        for (uint32_t i = 0; i < doc.n_nodes; i++)
                check_node(&doc, i);
        return 0;
}
