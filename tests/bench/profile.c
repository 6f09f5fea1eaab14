/* SPDX-License-Identifier: MIT */

#include "tests/bench/profile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What callgrind calls "???": code of no library, which is stubs. */
#define JUMP_TABLE "jump tables"

struct Profile {
        ProfileLine total;
        GArray *libraries, *entries;
};

/* Where the reader is. Names are given once, as "(7) name", and are "(7)" from then on. */
typedef struct Reader {
        Profile *profile;
        GHashTable *objects, *functions; /* "(7)" → interned name */
        const char *object, *function;   /* whose cost it is */
        const char *cobject, *cfunction; /* whom it calls */
        double calls;                    /* the next line is what they cost; 0: own cost */
} Reader;

/* ---- names ---- */

/* "/usr/lib/x86_64-linux-gnu/libsystemd.so.0.35.0" is libsystemd. */
static const char *library_name(const char *path)
{
        g_autofree char *name = g_path_get_basename(path);
        char *end = strstr(name, ".so");

        if (!strcmp(path, "???"))
                return JUMP_TABLE;
        if (end)
                *end = '\0';
        return g_intern_string(name);
}

static bool is_ours(const char *library)
{
        return !strcmp(library, "dbus-mqtt-gateway") || !strcmp(library, "libmqttrpc");
}

static const char *resolve(GHashTable *names, const char *text, bool is_library)
{
        const char *end = strchr(text, ')');
        g_autofree char *key = NULL;
        const char *name;

        if (*text != '(' || !end)
                g_error("callgrind: not a name: %s", text);
        key = g_strndup(text, (gsize)(end - text));
        if (end[1] == ' ') {
                name = is_library ? library_name(end + 2) : g_intern_string(end + 2);
                g_hash_table_insert(names, g_strdup(key), (gpointer)name);
                return name;
        }
        name = g_hash_table_lookup(names, key);
        if (!name)
                g_error("callgrind: a name that was not given: %s", text);
        return name;
}

/* ---- heap ---- */

static bool is_allocator(const char *function)
{
        static const char *const names[] = {"malloc",        "calloc", "realloc", "memalign",
                                            "aligned_alloc", "strdup", "strndup", NULL};
        g_autofree char *name = g_strndup(function, strcspn(function, "'@"));

        return g_strv_contains(names, name);
}

/* An allocator that uses another one, directly or by libc's own jump table, has asked for nothing
 * by itself. What else of libc allocates, such as asprintf(), counts as libc's. So the sum is what
 * memcheck counts. */
static bool is_allocation(const Reader *reader)
{
        return is_allocator(reader->cfunction) && strcmp(reader->object, JUMP_TABLE) != 0 &&
               (strcmp(reader->object, "libc") != 0 || !is_allocator(reader->function));
}

/* ---- reading ---- */

static ProfileLine *find_line(GArray *lines, const char *name)
{
        ProfileLine line = {.name = name};

        for (guint i = 0; i < lines->len; i++)
                if (g_array_index(lines, ProfileLine, i).name == name)
                        return &g_array_index(lines, ProfileLine, i);
        g_array_append_val(lines, line);
        return &g_array_index(lines, ProfileLine, lines->len - 1);
}

static void note_call(Reader *reader, double instructions)
{
        Profile *profile = reader->profile;

        if (is_allocation(reader)) {
                find_line(profile->libraries, reader->object)->count += reader->calls;
                profile->total.count += reader->calls;
        }
        if (is_ours(reader->object) && !is_ours(reader->cobject)) {
                g_autofree char *name =
                        g_strdup_printf("%s (%s)", reader->cfunction, reader->cobject);
                ProfileLine *entry = find_line(profile->entries, g_intern_string(name));

                entry->count += reader->calls;
                entry->instructions += instructions;
        }
}

/* "line instructions": what the lines before it were about. */
static void take_cost(Reader *reader, const char *line)
{
        const char *at = strchr(line, ' ');
        double instructions = at ? strtod(at, NULL) : 0;

        if (reader->calls > 0) {
                note_call(reader, instructions);
                reader->calls = 0;
                reader->cobject = reader->object;
                return;
        }
        find_line(reader->profile->libraries, reader->object)->instructions += instructions;
        reader->profile->total.instructions += instructions;
}

static void take_line(Reader *reader, const char *line)
{
        if (g_str_has_prefix(line, "ob="))
                reader->object = reader->cobject = resolve(reader->objects, line + 3, true);
        else if (g_str_has_prefix(line, "fn="))
                reader->function = resolve(reader->functions, line + 3, false);
        else if (g_str_has_prefix(line, "cob="))
                reader->cobject = resolve(reader->objects, line + 4, true);
        else if (g_str_has_prefix(line, "cfn="))
                reader->cfunction = resolve(reader->functions, line + 4, false);
        else if (g_str_has_prefix(line, "calls="))
                reader->calls = strtod(line + 6, NULL);
        else if (reader->object && reader->function && line[0] && strchr("0123456789+-*", line[0]))
                take_cost(reader, line);
}

static int compare(gconstpointer a, gconstpointer b)
{
        const ProfileLine *x = a, *y = b;

        return (x->instructions < y->instructions) - (x->instructions > y->instructions);
}

static Profile *profile_new(void)
{
        Profile *profile = g_new0(Profile, 1);

        profile->libraries = g_array_new(FALSE, TRUE, sizeof(ProfileLine));
        profile->entries = g_array_new(FALSE, TRUE, sizeof(ProfileLine));
        return profile;
}

Profile *profile_load(const char *path)
{
        Reader reader = {.profile = profile_new()};
        g_autofree char *text = NULL;
        char *line, *rest;

        if (!g_file_get_contents(path, &text, NULL, NULL) || !strstr(text, "\nevents: Ir\n"))
                g_error("callgrind has written nothing to %s", path);
        reader.objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        reader.functions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                take_line(&reader, line);
        g_hash_table_unref(reader.objects);
        g_hash_table_unref(reader.functions);
        return reader.profile;
}

/* ---- differences ---- */

static void subtract(GArray *many, GArray *few, double calls)
{
        for (guint i = 0; i < few->len; i++) {
                const ProfileLine *line = &g_array_index(few, ProfileLine, i);
                ProfileLine *found = find_line(many, line->name);

                found->instructions -= line->instructions;
                found->count -= line->count;
        }
        for (guint i = 0; i < many->len; i++) {
                ProfileLine *line = &g_array_index(many, ProfileLine, i);

                line->instructions /= calls;
                line->count /= calls;
        }
        g_array_sort(many, compare);
}

Profile *profile_per_call(Profile *few, Profile *many, double calls)
{
        subtract(many->libraries, few->libraries, calls);
        subtract(many->entries, few->entries, calls);
        many->total.instructions = (many->total.instructions - few->total.instructions) / calls;
        many->total.count = (many->total.count - few->total.count) / calls;
        profile_free(few);
        return many;
}

void profile_free(Profile *profile)
{
        if (!profile)
                return;
        g_array_free(profile->libraries, TRUE);
        g_array_free(profile->entries, TRUE);
        g_free(profile);
}

ProfileLine profile_get_total(const Profile *profile)
{
        return profile->total;
}

GArray *profile_get_libraries(const Profile *profile)
{
        return profile->libraries;
}

GArray *profile_get_entries(const Profile *profile)
{
        return profile->entries;
}
