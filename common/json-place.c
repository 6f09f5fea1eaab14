/* SPDX-License-Identifier: MIT */

#include "common/json-place.h"

#include "common/utf8.h"

/* Bytes of a key that an error shows; keys come from the peer and can be as long as a payload. */
enum { SHOWN_KEY_BYTES = 64 };

void json_place_index(Error **error, size_t index)
{
        error_prefix(error, "[%zu]", index);
}

void json_place_key(Error **error, const char *quoted, size_t length)
{
        size_t shown = utf8_cut(quoted, length, SHOWN_KEY_BYTES);

        error_prefix(error, "[%.*s%s]", (int)shown, quoted, shown < length ? "…\"" : "");
}

void json_place_member(Error **error, const char *name)
{
        error_prefix(error, ".%s", name);
}
