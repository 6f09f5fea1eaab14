/* SPDX-License-Identifier: MIT */

/* Which files make up a mapping set: *.json of several folders, the later over the earlier. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/mapping-internal.h"

/* A file to load; the key is its name without the folder. */
typedef struct Candidate {
        char *path;       /* owned */
        const char *name; /* in `path` */
        UT_hash_handle hh;
} Candidate;

static Candidate *candidate_free(Candidate *candidate)
{
        if (candidate)
                free(candidate->path);
        free(candidate);
        return NULL;
}

static void candidates_done(Candidate **candidates)
{
        Candidate *candidate, *next;

        HASH_ITER (hh, *candidates, candidate, next) {
                HASH_DEL(*candidates, candidate);
                candidate_free(candidate);
        }
}

static int compare_candidates(const Candidate *a, const Candidate *b)
{
        return strcmp(a->name, b->name);
}

static bool is_mapping(const char *name)
{
        size_t length = strlen(name);

        return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".json") == 0 &&
               strcmp(name, "mapping.schema.json") != 0;
}

static int add_candidate(Candidate **candidates, const char *folder, const char *name)
{
        Candidate *candidate, *other;

        candidate = calloc(1, sizeof(*candidate));
        if (!candidate || asprintf(&candidate->path, "%s/%s", folder, name) < 0) {
                free(candidate);
                return -ENOMEM;
        }
        candidate->name = strrchr(candidate->path, '/') + 1;
        HASH_FIND_STR(*candidates, name, other);
        if (other) {
                HASH_DEL(*candidates, other);
                candidate_free(other);
        }
        HASH_ADD_KEYPTR(hh, *candidates, candidate->name, strlen(candidate->name), candidate);
        if (hash_added(candidate->hh))
                return 0;
        candidate_free(candidate);
        return -ENOMEM;
}

static int list_folder(Candidate **candidates, const char *folder, Diagnostics *diagnostics)
{
        struct dirent *entry;
        DIR *handle;
        int r = 0;

        handle = opendir(folder);
        if (!handle) {
                diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, "cannot open the folder %s: %s",
                                folder, strerrordesc_np(errno));
                return 0;
        }
        errno = 0;
        while (r >= 0 && (entry = readdir(handle))) {
                if (is_mapping(entry->d_name))
                        r = add_candidate(candidates, folder, entry->d_name);
                errno = 0;
        }
        if (r >= 0 && errno != 0)
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "cannot read the folder %s: %s",
                                folder, strerrordesc_np(errno));
        closedir(handle);
        return r;
}

int mapping_folders_each(const char *const *folders, size_t n_folders, Diagnostics *diagnostics,
                         MappingFileHandler handler, void *userdata)
{
        CLEANUP(candidates_done) Candidate *candidates = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_folders; i++)
                r = list_folder(&candidates, folders[i], diagnostics);
        HASH_SORT(candidates, compare_candidates);
        for (Candidate *c = candidates; r >= 0 && c; c = c->hh.next)
                r = handler(c->path, userdata);
        return r < 0 ? r : 0;
}

int mapping_set_load_folders(MappingSet *set, const char *const *folders, size_t n_folders,
                             Diagnostics *diagnostics)
{
        CLEANUP_MAPPING_SET MappingSet retired = {};
        MappingReload reload;
        int r;

        r = mapping_set_reload(set, folders, n_folders, diagnostics, &reload, &retired);
        return r < 0 ? r : (int)reload.left_out;
}
