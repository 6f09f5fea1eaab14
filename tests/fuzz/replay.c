/* SPDX-License-Identifier: MIT */

/* Runs a fuzz target over every file of the folders given as arguments. An empty corpus fails: a
 * replay that replays nothing proves nothing. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
        uint8_t *data = NULL;
        char *path = NULL;
        size_t size = 0;
        FILE *file;
        int c;

        if (asprintf(&path, "%s/%s", folder, name) < 0)
                return -1;
        file = fopen(path, "r");
        free(path);
        if (!file)
                return -1;
        while ((c = fgetc(file)) != EOF) {
                uint8_t *grown = realloc(data, size + 1);

                if (!grown)
                        abort();
                data = grown;
                data[size++] = (uint8_t)c;
        }
        fclose(file);
        LLVMFuzzerTestOneInput(data ? data : (const uint8_t *)"", size);
        free(data);
        return 0;
}

int main(int argc, char **argv)
{
        unsigned count = 0;

        for (int i = 1; i < argc; i++) {
                struct dirent *entry;
                DIR *folder;

                folder = opendir(argv[i]);
                if (!folder) {
                        fprintf(stderr, "%s: no such corpus\n", argv[i]);
                        return 1;
                }
                while ((entry = readdir(folder)))
                        if (entry->d_name[0] != '.' && replay_file(argv[i], entry->d_name) == 0)
                                count++;
                closedir(folder);
        }
        printf("%u inputs replayed\n", count);
        return count > 0 ? 0 : 1;
}
