/* SPDX-License-Identifier: MIT */

#include "common/signature.h"

#include <errno.h>
#include <string.h>

typedef struct Checker {
        const char *text;
        size_t length;
        size_t at;
        const char *reason;
} Checker;

static int check_type(Checker *checker, unsigned arrays, unsigned structs);

static int fail(Checker *checker, const char *reason)
{
        checker->reason = reason;
        return -EINVAL;
}

/* The character to be read next; NUL, which is no type code, at the end. */
static char peek(const Checker *checker)
{
        return checker->at < checker->length ? checker->text[checker->at] : '\0';
}

static int check_struct(Checker *checker, unsigned arrays, unsigned structs)
{
        int r;

        if (structs >= SIGNATURE_MAX_STRUCTS)
                return fail(checker, "more than 32 nested structs");
        checker->at++;
        if (peek(checker) == ')')
                return fail(checker, "struct without members");
        while (peek(checker) != ')') {
                if (checker->at >= checker->length)
                        return fail(checker, "'(' without ')'");
                r = check_type(checker, arrays, structs + 1);
                if (r < 0)
                        return r;
        }
        checker->at++;
        return 0;
}

static int check_dict_entry(Checker *checker, unsigned arrays, unsigned structs)
{
        int r;

        if (structs >= SIGNATURE_MAX_STRUCTS)
                return fail(checker, "more than 32 nested structs");
        checker->at++;
        if (!signature_is_basic(peek(checker)))
                return fail(checker, "the key of a dict must be of a basic type");
        checker->at++;
        if (peek(checker) == '}')
                return fail(checker, "dict without a value type");
        r = check_type(checker, arrays, structs + 1);
        if (r < 0)
                return r;
        if (peek(checker) != '}')
                return fail(checker, checker->at < checker->length
                                             ? "dict with more than a key and a value"
                                             : "'{' without '}'");
        checker->at++;
        return 0;
}

static int check_array(Checker *checker, unsigned arrays, unsigned structs)
{
        if (arrays >= SIGNATURE_MAX_ARRAYS)
                return fail(checker, "more than 32 nested arrays");
        checker->at++;
        if (checker->at >= checker->length)
                return fail(checker, "array without an element type");
        if (peek(checker) == '{')
                return check_dict_entry(checker, arrays + 1, structs);
        return check_type(checker, arrays + 1, structs);
}

static int check_type(Checker *checker, unsigned arrays, unsigned structs)
{
        char code = peek(checker);

        if (checker->at >= checker->length)
                return fail(checker, "a type is missing");
        if (signature_is_basic(code) || code == 'v') {
                checker->at++;
                return 0;
        }
        switch (code) {
        case 'a': return check_array(checker, arrays, structs);
        case '(': return check_struct(checker, arrays, structs);
        case '{': return fail(checker, "dict entry outside an array");
        case ')': return fail(checker, "')' without '('");
        case '}': return fail(checker, "'}' without '{'");
        default: return fail(checker, "unknown type code");
        }
}

static int check_row(Checker *checker)
{
        int count = 0, r;

        if (checker->length > SIGNATURE_MAX_LENGTH) {
                checker->at = SIGNATURE_MAX_LENGTH;
                return fail(checker, "longer than 254 characters");
        }
        while (checker->at < checker->length) {
                r = check_type(checker, 0, 0);
                if (r < 0)
                        return r;
                count++;
        }
        return count;
}

static int report(const Checker *checker, SignatureError *ret_error)
{
        if (ret_error)
                *ret_error = (SignatureError){.offset = checker->at, .reason = checker->reason};
        return -EINVAL;
}

int signature_check(const char *text, size_t length, SignatureError *ret_error)
{
        Checker checker = {.text = text, .length = length};
        int r;

        r = check_row(&checker);
        return r < 0 ? report(&checker, ret_error) : r;
}

int signature_check_single(const char *text, size_t length, SignatureError *ret_error)
{
        Checker checker = {.text = text, .length = length};
        int r;

        r = check_row(&checker);
        if (r == 0)
                r = fail(&checker, "a type is missing");
        if (r > 1) {
                checker.at = signature_type_length(text);
                r = fail(&checker, "more than one complete type");
        }
        return r < 0 ? report(&checker, ret_error) : 0;
}

size_t signature_type_length(const char *text)
{
        const char *at = text;
        unsigned open = 0;

        for (;; at++) {
                if (*at == 'a')
                        continue;
                if (*at == '(' || *at == '{')
                        open++;
                else if (*at == ')' || *at == '}')
                        open--;
                if (open == 0)
                        return (size_t)(at - text) + 1;
        }
}

bool signature_is_basic(char code)
{
        return code != '\0' && strchr("ybnqiuxtdsogh", code);
}

const char *signature_type_name(char code)
{
        switch (code) {
        case 'y': return "byte";
        case 'b': return "boolean";
        case 'n': return "int16";
        case 'q': return "uint16";
        case 'i': return "int32";
        case 'u': return "uint32";
        case 'x': return "int64";
        case 't': return "uint64";
        case 'd': return "double";
        case 's': return "string";
        case 'o': return "object path";
        case 'g': return "signature";
        case 'h': return "file descriptor";
        case 'v': return "variant";
        case 'a': return "array";
        case '(': return "struct";
        case '{': return "dict entry";
        default: return "unknown";
        }
}
