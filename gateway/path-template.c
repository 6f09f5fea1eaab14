/* SPDX-License-Identifier: MIT */

#include "gateway/path-template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common/buffer.h"
#include "common/limits.h"
#include "gateway/names.h"

/* What elements of object paths are made of. */
#define WORD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
/* What is in names besides; that it is in no element makes names readable in one way only. */
#define SEPARATORS ".-"

static void replace(char *text, char from, char to)
{
        for (; *text; text++)
                if (*text == from)
                        *text = to;
}

/* P: the path that a service of that name is expected at. NULL without memory. */
static char *home_path(const char *bus_name)
{
        char *path;

        if (asprintf(&path, "/%s", bus_name) < 0)
                return NULL;
        replace(path, '.', '/');
        return path;
}

/* What follows `home` in `path`: "" for home itself, "x/y" below it; NULL elsewhere. */
static const char *below(const char *path, const char *home)
{
        size_t length = strlen(home);

        if (strncmp(path, home, length) != 0)
                return NULL;
        if (path[length] == '/')
                return path + length + 1;
        return path[length] == '\0' ? path + length : NULL;
}

int object_name_from_path(const char *bus_name, const char *path, char **ret_name,
                          Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(bus_name);
        const char *tail;
        char *name;

        if (!sd_bus_object_path_is_valid(path))
                return error_set(ret_error, -EINVAL, "'%s' is not an object path", path);
        if (!home)
                return error_set(ret_error, -ENOMEM, "out of memory");
        tail = below(path, home);
        if (!tail)
                tail = path;
        else if (tail[0] == '\0')
                tail = "-";
        if (strlen(tail) > LIMIT_OBJECT_LENGTH)
                return error_set(ret_error, -ENAMETOOLONG,
                                 "the name of object '%s' would be longer than %u characters", path,
                                 LIMIT_OBJECT_LENGTH);
        name = strdup(tail);
        if (!name)
                return error_set(ret_error, -ENOMEM, "out of memory");
        replace(name, '/', '.');
        *ret_name = name;
        return 0;
}

int object_path_from_name(const char *bus_name, const char *name, char **ret_path,
                          Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(bus_name), *path = NULL;
        bool absolute = name[0] == '.';
        int r;

        if (!home)
                return error_set(ret_error, -ENOMEM, "out of memory");
        if (absolute)
                r = asprintf(&path, "%s", name);
        else if (strcmp(name, "-") == 0)
                r = asprintf(&path, "%s", home);
        else
                r = asprintf(&path, "%s/%s", home, name);
        if (r < 0) {
                path = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        replace(path + (absolute ? 0 : strlen(home)), '.', '/');
        if (strchr(name, '/') || !sd_bus_object_path_is_valid(path) ||
            (absolute && below(path, home)))
                return error_set(ret_error, -EINVAL, "no object path has the name '%s'", name);
        *ret_path = STEAL(path);
        return 0;
}

/* ---- templates: texts ---- */

bool path_template_is(const char *text)
{
        return strchr(text, '{') || strchr(text, '}');
}

/* The length of the capture "{name}" that `text` starts with, or 0. */
static size_t capture_length(const char *text)
{
        size_t length;

        if (text[0] != '{' || !strchr(WORD_CHARACTERS, text[1]) ||
            (text[1] >= '0' && text[1] <= '9'))
                return 0;
        length = strspn(text + 1, WORD_CHARACTERS);
        return length > 0 && text[1 + length] == '}' ? length + 2 : 0;
}

static int refuse_capture(const char *text, Error **ret_error)
{
        return error_set(ret_error, -EINVAL,
                         "'%s': a capture is a word in braces, and a whole element of the path: "
                         "\"/org/example/{thing}\"",
                         text);
}

int path_template_check_path(const char *text, Error **ret_error)
{
        size_t n_captures = 0, length = 0;
        const char *p = text;

        if (!path_template_is(text))
                return name_check_path(text, ret_error);
        while (*p == '/') {
                p++;
                length = capture_length(p);
                n_captures += length > 0;
                if (length == 0)
                        length = strspn(p, WORD_CHARACTERS);
                if (length == 0)
                        break;
                p += length;
        }
        if (*p && (strpbrk(p, "{}") || (p > text && p[-1] == '}')))
                return refuse_capture(text, ret_error);
        if (*p || length == 0)
                return error_set(ret_error, -EINVAL, "'%s' is not a D-Bus object path", text);
        if (n_captures > LIMIT_TEMPLATE_CAPTURES)
                return error_set(ret_error, -EINVAL, "'%s': more than %u captures", text,
                                 LIMIT_TEMPLATE_CAPTURES);
        return 0;
}

int path_template_check_name(const char *text, Error **ret_error)
{
        size_t n_captures = 0, length;
        const char *p = text;

        if (!path_template_is(text))
                return name_check_object(text, ret_error);
        if (strlen(text) > LIMIT_OBJECT_LENGTH)
                return error_set(ret_error, -EINVAL, "the name is longer than %u characters",
                                 LIMIT_OBJECT_LENGTH);
        while (*p) {
                length = capture_length(p);
                n_captures += length > 0;
                p += length > 0 ? length : strspn(p, WORD_CHARACTERS SEPARATORS);
                if (length == 0 && *p && capture_length(p) == 0)
                        return error_set(ret_error, -EINVAL,
                                         "'%s' is not a name: only A-Z a-z 0-9 _ . - are allowed, "
                                         "and captures in braces",
                                         text);
        }
        if (n_captures > LIMIT_TEMPLATE_CAPTURES)
                return error_set(ret_error, -EINVAL, "'%s': more than %u captures", text,
                                 LIMIT_TEMPLATE_CAPTURES);
        return 0;
}

/* Whether a template fits P, or paths below P, and others as well. */
static bool covers_home(const char *path, const char *home)
{
        bool captures = false;
        size_t length;

        if (!sd_bus_object_path_is_valid(home))
                return false;
        for (; *home; home += strcspn(home, "/")) {
                if (*path != '/')
                        return false;
                path++;
                home++;
                length = strcspn(path, "/");
                if (path[0] == '{')
                        captures = true;
                else if (length != strcspn(home, "/") || strncmp(path, home, length) != 0)
                        return false;
                path += length;
        }
        return captures;
}

int path_template_default_name(const char *bus_name, const char *path, char **ret_name,
                               Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(bus_name);
        const char *tail;
        char *name;

        if (!home)
                return error_set(ret_error, -ENOMEM, "out of memory");
        if (covers_home(path, home))
                return error_set(ret_error, -EINVAL,
                                 "'%s' is also %s, whose default name has another form: give the "
                                 "names by \"object\"",
                                 path, home);
        tail = below(path, home);
        name = strdup(tail ? tail : path);
        if (!name)
                return error_set(ret_error, -ENOMEM, "out of memory");
        replace(name, '/', '.');
        *ret_name = name;
        return 0;
}

/* ---- templates: making ---- */

/* A part of a path or name: an element or other text, or a capture. */
typedef struct Piece {
        const char *text; /* in the template's copy; of a capture its name */
        size_t length;
        int capture; /* its number, from 0 in the order of the path; -1: text */
} Piece;

struct PathTemplate {
        char *path; /* owned; as written */
        char *name;
        char *root;      /* owned; see path_template_root() */
        Piece *elements; /* owned; of the path */
        size_t n_elements;
        Piece *pieces; /* owned; of the name: no two captures are neighbours */
        size_t n_pieces;
        size_t n_captures;
};

/* What a capture stands for in one path or name. */
typedef struct Value {
        const char *text;
        size_t length;
} Value;

PathTemplate *path_template_free(PathTemplate *template)
{
        if (!template)
                return NULL;
        free(template->path);
        free(template->name);
        free(template->root);
        free(template->elements);
        free(template->pieces);
        free(template);
        return NULL;
}

static int find_capture(const PathTemplate *template, const char *name, size_t length)
{
        for (size_t i = 0; i < template->n_elements; i++) {
                const Piece *piece = &template->elements[i];

                if (piece->capture >= 0 && piece->length == length &&
                    strncmp(piece->text, name, length) == 0)
                        return piece->capture;
        }
        return -1;
}

static int split_path(PathTemplate *template, Error **ret_error)
{
        for (const char *p = template->path; *p; p += strcspn(p, "/")) {
                Piece piece = {.text = ++p, .length = strcspn(p, "/"), .capture = -1};

                if (*p == '{') {
                        piece.text++;
                        piece.length -= 2;
                        if (find_capture(template, piece.text, piece.length) >= 0)
                                return error_set(ret_error, -EINVAL, "'%s' captures '%.*s' twice",
                                                 template->path, (int)piece.length, piece.text);
                        piece.capture = (int)template->n_captures++;
                        if (piece.capture == 0)
                                template->root = strndup(
                                        template->path, p - 1 == template->path
                                                                ? 1
                                                                : (size_t)(p - 1 - template->path));
                }
                template->elements[template->n_elements++] = piece;
        }
        return template->root ? 0 : error_set(ret_error, -ENOMEM, "out of memory");
}

/* Whether another capture may follow the pieces so far. */
static bool is_divided(const PathTemplate *template)
{
        const Piece *last;

        if (template->n_pieces == 0)
                return true;
        last = &template->pieces[template->n_pieces - 1];
        if (last->capture >= 0)
                return false;
        return template->n_pieces == 1 || strcspn(last->text, SEPARATORS) < last->length;
}

static int add_capture(PathTemplate *template, Piece piece, unsigned *seen, Error **ret_error)
{
        piece.capture = find_capture(template, piece.text, piece.length);
        if (piece.capture < 0)
                return error_set(ret_error, -EINVAL, "'%s' has a capture '%.*s' that %s has not",
                                 template->name, (int)piece.length, piece.text, template->path);
        if (*seen & (1U << piece.capture))
                return error_set(ret_error, -EINVAL, "'%s' has the capture '%.*s' twice",
                                 template->name, (int)piece.length, piece.text);
        if (!is_divided(template))
                return error_set(ret_error, -EINVAL,
                                 "'%s': there must be a '.' or '-' between two captures, else two "
                                 "paths could have one name",
                                 template->name);
        *seen |= 1U << piece.capture;
        template->pieces[template->n_pieces++] = piece;
        return 0;
}

static int split_name(PathTemplate *template, Error **ret_error)
{
        unsigned seen = 0;
        size_t length;
        int r;

        for (const char *p = template->name; *p; p += length) {
                length = capture_length(p);
                if (length > 0) {
                        r = add_capture(template, (Piece){p + 1, length - 2, 0}, &seen, ret_error);
                        if (r < 0)
                                return r;
                } else {
                        length = strcspn(p, "{");
                        template->pieces[template->n_pieces++] = (Piece){p, length, -1};
                }
        }
        for (size_t i = 0; i < template->n_elements; i++)
                if (template->elements[i].capture >= 0 &&
                    !(seen & (1U << template->elements[i].capture)))
                        return error_set(ret_error, -EINVAL,
                                         "'%s' lacks the capture '%.*s' of %s: two paths would "
                                         "have one name",
                                         template->name, (int)template->elements[i].length,
                                         template->elements[i].text, template->path);
        return 0;
}

int path_template_new(const char *path, const char *name, PathTemplate **ret_template,
                      Error **ret_error)
{
        CLEANUP_PATH_TEMPLATE PathTemplate *template = calloc(1, sizeof(*template));
        int r;

        if (!template)
                return error_set(ret_error, -ENOMEM, "out of memory");
        template->path = strdup(path);
        template->name = strdup(name);
        /* each element takes two characters at least, and so do a text and a capture */
        template->elements = calloc(strlen(path), sizeof(*template->elements));
        template->pieces = calloc(strlen(name), sizeof(*template->pieces));
        if (!template->path || !template->name || !template->elements || !template->pieces)
                return error_set(ret_error, -ENOMEM, "out of memory");
        r = split_path(template, ret_error);
        if (r >= 0)
                r = split_name(template, ret_error);
        if (r < 0)
                return r;
        *ret_template = STEAL(template);
        return 0;
}

/* ---- templates: there and back ---- */

static bool match_path(const PathTemplate *template, const char *path, Value *values)
{
        for (size_t i = 0; i < template->n_elements; i++) {
                const Piece *element = &template->elements[i];
                size_t length;

                if (*path++ != '/')
                        return false;
                length = strcspn(path, "/");
                if (length == 0)
                        return false;
                if (element->capture >= 0)
                        values[element->capture] = (Value){path, length};
                else if (length != element->length || strncmp(path, element->text, length) != 0)
                        return false;
                path += length;
        }
        return *path == '\0';
}

/* How many characters at the start of a piece could belong to an element of a path. */
static size_t word_length(const Piece *piece)
{
        return MIN(strspn(piece->text, WORD_CHARACTERS), piece->length);
}

/* A capture reaches to the next separator, but for what the text after it has before that. */
static bool match_name(const PathTemplate *template, const char *name, Value *values)
{
        for (size_t i = 0; i < template->n_pieces; i++) {
                const Piece *piece = &template->pieces[i];
                size_t length = piece->length, tail;

                if (piece->capture >= 0) {
                        tail = i + 1 < template->n_pieces ? word_length(piece + 1) : 0;
                        length = strspn(name, WORD_CHARACTERS);
                        if (length <= tail)
                                return false;
                        length -= tail;
                        values[piece->capture] = (Value){name, length};
                } else if (strncmp(name, piece->text, length) != 0) {
                        return false;
                }
                name += length;
        }
        return *name == '\0';
}

/* Puts the values into the pieces, with `separator` before each; 0 for none. */
static int fill_in(const Piece *pieces, size_t n_pieces, char separator, const Value *values,
                   size_t limit, char **ret_text)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(limit);
        char *text;

        for (size_t i = 0; i < n_pieces; i++) {
                const Piece *piece = &pieces[i];

                if (separator)
                        buffer_append_char(&buffer, separator);
                if (piece->capture >= 0)
                        buffer_append(&buffer, values[piece->capture].text,
                                      values[piece->capture].length);
                else
                        buffer_append(&buffer, piece->text, piece->length);
        }
        if (buffer_status(&buffer) < 0)
                return buffer_status(&buffer) == -EMSGSIZE ? -ENAMETOOLONG : -ENOMEM;
        text = buffer_steal(&buffer);
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}

bool path_template_fits(const PathTemplate *template, const char *path)
{
        Value values[LIMIT_TEMPLATE_CAPTURES];

        return match_path(template, path, values);
}

int path_template_name(const PathTemplate *template, const char *path, char **ret_name)
{
        Value values[LIMIT_TEMPLATE_CAPTURES];

        if (!match_path(template, path, values))
                return -ENOENT;
        return fill_in(template->pieces, template->n_pieces, '\0', values, LIMIT_OBJECT_LENGTH,
                       ret_name);
}

int path_template_path(const PathTemplate *template, const char *name, char **ret_path)
{
        Value values[LIMIT_TEMPLATE_CAPTURES];

        if (!match_name(template, name, values))
                return -ENOENT;
        return fill_in(template->elements, template->n_elements, '/', values, 0, ret_path);
}

/* ---- templates: questions ---- */

bool path_template_leads_through(const PathTemplate *template, const char *path)
{
        size_t i;

        if (strcmp(path, "/") == 0)
                return true;
        for (i = 0; i < template->n_elements && *path == '/'; i++) {
                const Piece *element = &template->elements[i];
                size_t length = strcspn(++path, "/");

                if (element->capture < 0 &&
                    (length != element->length || strncmp(path, element->text, length) != 0))
                        return false;
                path += length;
        }
        return *path == '\0' && i < template->n_elements;
}

const char *path_template_root(const PathTemplate *template)
{
        return template->root;
}

size_t path_template_n_literals(const PathTemplate *template)
{
        return template->n_elements - template->n_captures;
}

bool path_template_same_paths(const PathTemplate *a, const PathTemplate *b)
{
        if (a->n_elements != b->n_elements)
                return false;
        for (size_t i = 0; i < a->n_elements; i++) {
                const Piece *x = &a->elements[i], *y = &b->elements[i];

                if ((x->capture >= 0) != (y->capture >= 0))
                        return false;
                if (x->capture < 0 &&
                    (x->length != y->length || strncmp(x->text, y->text, x->length) != 0))
                        return false;
        }
        return true;
}

/* A name between two separators: it has one capture at most, with text around it. */
typedef struct Field {
        const char *before;
        size_t n_before;
        bool captures;
        const char *after;
        size_t n_after;
        char separator; /* what follows; 0 at the end */
} Field;

static Field next_field(const char **text)
{
        Field field = {.before = *text, .n_before = strcspn(*text, "{" SEPARATORS)};
        const char *p = *text + field.n_before;

        if (*p == '{') {
                field.captures = true;
                field.after = strchr(p, '}') + 1;
                field.n_after = strcspn(field.after, SEPARATORS);
                p = field.after + field.n_after;
        }
        field.separator = *p;
        *text = *p ? p + 1 : p;
        return field;
}

static bool fits_field(const Field *field, const char *word, size_t length)
{
        return length > field->n_before + field->n_after &&
               strncmp(word, field->before, field->n_before) == 0 &&
               strncmp(word + length - field->n_after, field->after, field->n_after) == 0;
}

/* Whether the shorter of two ends of words is the end of the longer one. */
static bool ends_agree(const Field *a, const Field *b)
{
        size_t length = MIN(a->n_after, b->n_after);

        return strncmp(a->after + a->n_after - length, b->after + b->n_after - length, length) == 0;
}

/* Appends a word that fits both fields; false if there is none. */
static bool append_common(const Field *a, const Field *b, Buffer *buffer)
{
        const Field *before = a->n_before > b->n_before ? a : b;
        const Field *after = a->n_after > b->n_after ? a : b;

        if (!a->captures && !b->captures) {
                buffer_append(buffer, a->before, a->n_before);
                return a->n_before == b->n_before &&
                       strncmp(a->before, b->before, a->n_before) == 0;
        }
        if (!a->captures || !b->captures) {
                const Field *word = a->captures ? b : a, *field = a->captures ? a : b;

                buffer_append(buffer, word->before, word->n_before);
                return fits_field(field, word->before, word->n_before);
        }
        buffer_append(buffer, before->before, before->n_before);
        buffer_printf(buffer, "_any%zu_", buffer->length);
        buffer_append(buffer, after->after, after->n_after);
        return strncmp(a->before, b->before, MIN(a->n_before, b->n_before)) == 0 &&
               ends_agree(a, b);
}

int path_template_common_name(const PathTemplate *a, const PathTemplate *b, char **ret_name)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        const char *p = a->name, *q = b->name;
        Field x, y;
        char *name;

        do {
                x = next_field(&p);
                y = next_field(&q);
                if (x.separator != y.separator || !append_common(&x, &y, &buffer))
                        return -ENOENT;
                if (x.separator)
                        buffer_append_char(&buffer, x.separator);
        } while (x.separator);
        name = buffer_steal(&buffer);
        if (!name)
                return -ENOMEM;
        *ret_name = name;
        return 0;
}
