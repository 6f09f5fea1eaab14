/* SPDX-License-Identifier: MIT */

/* Reading the folders of a mapping set again: which services stay, which are new, which go. */

#include <errno.h>
#include <string.h>

#include "gateway/mapping-internal.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

void mapping_digest_add(MappingDigest *digest, const char *text, size_t length)
{
        if (digest->length == 0)
                digest->hash = FNV_OFFSET;
        for (size_t i = 0; i < length; i++)
                digest->hash = (digest->hash ^ (unsigned char)text[i]) * FNV_PRIME;
        digest->length += length + 1; /* where one file ends, also an empty one, counts */
}

static bool same_version(const MappingService *a, const MappingService *b)
{
        return a->digest.hash == b->digest.hash && a->digest.length == b->digest.length &&
               !strcmp(a->file, b->file);
}

/* A file as it is now. */
typedef struct Fresh {
        MappingService *service; /* NULL: the file is bad; owned until it is in a set */
        MappingService *old;     /* what the file was before; NULL: nothing */
} Fresh;

typedef struct Reload {
        MappingSet *old; /* loses what stays */
        MappingSet set;  /* what is to be */
        Diagnostics *diagnostics;
        MappingReload count;
        Fresh *items; /* owned */
        size_t n_items;
} Reload;

static void reload_done(Reload *reload)
{
        for (size_t i = 0; i < reload->n_items; i++)
                mapping_service_free(reload->items[i].service);
        free(reload->items);
}

/* ---- reading ---- */

static const char *file_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static MappingService *find_by_file(const MappingSet *set, const char *path)
{
        for (MappingService *s = set->services; s; s = s->hh.next)
                if (!strcmp(file_name(s->file), file_name(path)))
                        return s;
        return NULL;
}

static int read_file(const char *path, void *userdata)
{
        Reload *reload = userdata;
        Fresh *items;
        int r;

        items = reallocarray(reload->items, reload->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        reload->items = items;
        items += reload->n_items++;
        *items = (Fresh){.old = find_by_file(reload->old, path)};
        r = mapping_load(path, reload->diagnostics, &items->service);
        return r == -ENOMEM ? r : 0;
}

/* ---- sorting ---- */

/* Others use the service: should memory for either table be wanting, it lives on without one. */
static bool keep(Reload *reload, MappingService *service)
{
        mapping_set_take(reload->old, service);
        if (mapping_set_add(&reload->set, service, reload->diagnostics) >= 0)
                return true;
        (void)mapping_set_add(reload->old, service, NULL);
        return false;
}

static bool is_unchanged(const Fresh *fresh)
{
        return fresh->old && fresh->service && same_version(fresh->old, fresh->service);
}

/* What was there before and stays goes before what is new. */
static void take_old(Reload *reload, Fresh *fresh)
{
        if (is_unchanged(fresh)) {
                reload->count.unchanged += keep(reload, fresh->old);
                fresh->service = mapping_service_free(fresh->service);
        } else if (!fresh->service && fresh->old && keep(reload, fresh->old)) {
                reload->count.kept++;
        } else if (!fresh->service) {
                reload->count.left_out++;
        }
}

static void take_new(Reload *reload, Fresh *fresh)
{
        if (mapping_set_add(&reload->set, fresh->service, reload->diagnostics) >= 0) {
                STEAL(fresh->service);
                if (fresh->old)
                        reload->count.changed++;
                else
                        reload->count.added++;
        } else if (fresh->old && keep(reload, fresh->old)) {
                reload->count.kept++;
        } else {
                reload->count.left_out++;
        }
}

static bool has_file(const Reload *reload, const MappingService *old)
{
        for (size_t i = 0; i < reload->n_items; i++)
                if (reload->items[i].old == old)
                        return true;
        return false;
}

int mapping_set_reload(MappingSet *set, const char *const *folders, size_t n_folders,
                       Diagnostics *diagnostics, MappingReload *ret_reload, MappingSet *ret_retired)
{
        CLEANUP(reload_done) Reload reload = {.old = set, .diagnostics = diagnostics};
        int r;

        r = mapping_folders_each(folders, n_folders, diagnostics, read_file, &reload);
        if (r < 0)
                return r;
        for (size_t i = 0; i < reload.n_items; i++)
                take_old(&reload, &reload.items[i]);
        for (size_t i = 0; i < reload.n_items; i++)
                if (reload.items[i].service)
                        take_new(&reload, &reload.items[i]);
        for (const MappingService *s = set->services; s; s = s->hh.next)
                reload.count.removed += !has_file(&reload, s);
        *ret_reload = reload.count;
        *ret_retired = *set;
        *set = reload.set;
        return 0;
}
