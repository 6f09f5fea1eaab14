#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every function of the library is documented: by a comment in the header, and in exactly one page
docs/man/*.3, in its NAME, with the header's prototype in its SYNOPSIS, and in its text. The pages
know no function that is not there, all constants, and the table of error codes as it is."""

import glob
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.environ["MQTTRPC_SRCDIR"]
INCLUDE = os.path.join(SOURCE, "libmqttrpc", "include", "mqttrpc")
PAGES = os.path.join(SOURCE, "docs", "man")

DECLARATION = re.compile(r"^MQTTRPC_PUBLIC (.*?\b(mqttrpc_\w+)\(.*?\))"
                         r"\s*(?:MQTTRPC_PRINTF\(.*?\))?;", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"^static inline ([^;{]*?\b(mqttrpc_\w+)\([^;{]*?\))\s*\{",
                    re.DOTALL | re.MULTILINE)
PROTOTYPE = re.compile(r"[^;]*?\b(mqttrpc_\w+)\(.*?\);", re.DOTALL)
FONT = re.compile(r'^\.(?:[BI][RIB]?|R[BI]) "?(.*?)"?$')
# What glue headers offer; the rest of them is their own business.
GLUE = {"mqttrpc_g_source_new", "mqttrpc_sd_event_attach", "mqttrpc_sd_event_detach"}

failures = []


def fail(text):
    failures.append(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def squeeze(text):
    """One form for a prototype, however its lines are broken."""
    return re.sub(r"\s*([(),*])\s*", r"\1", re.sub(r"\s+", " ", text.strip()))


def read_header():
    """Name to prototype. A comment counts for all declarations up to the next empty line."""
    text = read(os.path.join(INCLUDE, "mqttrpc.h"))
    functions = {}
    for match in DECLARATION.finditer(text):
        paragraph = text[text.rfind("\n\n", 0, match.start()):match.start()]
        if "*/" not in paragraph:
            fail(f"mqttrpc.h: nothing is said about {match.group(2)}()")
        functions[match.group(2)] = squeeze(match.group(1))
    return functions


def read_glue():
    functions = {}
    for name in ("glib.h", "sd-event.h"):
        for match in INLINE.finditer(read(os.path.join(INCLUDE, name))):
            if match.group(2) in GLUE:
                functions[match.group(2)] = squeeze(match.group(1))
    if set(functions) != GLUE:
        fail("the glue headers lack " + ", ".join(GLUE - set(functions)))
    return functions


def sections(page):
    """Title to text, without macros at the start of lines, quotes around, and font changes."""
    result = {}
    for part in re.split(r"^\.SH ", page, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        lines = [FONT.sub(r"\1", line) for line in text.split("\n")]
        text = "\n".join(line for line in lines if not line.startswith("."))
        result[title.strip('"')] = re.sub(r"\\f.", "", text).replace("\\-", "-").replace('" "', "")
    return result


def check_page(path, functions, seen):
    file = os.path.basename(path)
    page = sections(read(path))
    synopsis = {}
    no_functions = re.compile(r"^(?:#include|MQTTRPC_).*$|^typedef [^;]*;", re.MULTILINE)
    for match in PROTOTYPE.finditer(no_functions.sub("", page["SYNOPSIS"])):
        synopsis[match.group(1)] = squeeze(match.group(0).rstrip(";"))
    named = set(re.findall(r"\b(?:mqttrpc_\w+)", page["NAME"])) - ({file[:-2]} - set(synopsis))
    body = "\n".join(text for title, text in page.items() if title not in ("NAME", "SYNOPSIS"))
    described = set(re.findall(r"\bmqttrpc_\w+", body))
    for name, prototype in synopsis.items():
        if name in seen:
            fail(f"{file}: {name}() is in the synopsis of {seen[name]} too")
        seen[name] = file
        if name not in functions:
            fail(f"{file}: there is no {name}()")
        elif prototype != functions[name]:
            fail(f"{file}: the header has {functions[name]}, not {prototype}")
        if name not in named:
            fail(f"{file}: {name} is not in NAME")
        if name not in described:
            fail(f"{file}: {name}() is not described")
    for name in named - set(synopsis):
        fail(f"{file}: {name} is in NAME, and not in SYNOPSIS")
    return described


def check_rendering(path):
    if not shutil.which("groff"):
        return
    result = subprocess.run(["groff", "-t", "-man", "-Tutf8", "-ww", "-z", "-k", path],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr:
        fail(f"{os.path.basename(path)}: {result.stderr}")


def check_constants(pages):
    """All names of enums, and the macros of a table of methods."""
    header = read(os.path.join(INCLUDE, "mqttrpc.h"))
    words = set(re.findall(r"^        (MQTTRPC_[A-Z0-9_]+)(?: = .*)?,", header, re.MULTILINE))
    words |= set(re.findall(r"^#define (MQTTRPC_[A-Z0-9_]+)\(name_", header, re.MULTILINE))
    words -= {"MQTTRPC_COUNT_MAX"}
    for word in sorted(words):
        if not word.startswith("MQTTRPC_MEMBER_") and word not in pages:
            fail(f"no page has {word}")


def check_codes(page):
    """The table of error codes is that of error.c."""
    header = read(os.path.join(INCLUDE, "mqttrpc.h"))
    source = read(os.path.join(SOURCE, "libmqttrpc", "error.c"))
    values = dict(re.findall(r"^        (MQTTRPC_ERROR_\w+) = (-\d+),", header, re.MULTILINE))
    codes = re.findall(r'\{(MQTTRPC_ERROR_\w+), "\w+", -(\w+),', source)
    expected = [(name, values[name], number) for name, number in codes]
    found = re.findall(r"^(MQTTRPC_ERROR_\w+)\|(\S+)\|(\w+)$", page.replace("\\-", "-"),
                       re.MULTILINE)
    if not expected or expected != found:
        wrong = sorted(set(expected) ^ set(found)) or "the order"
        fail(f"mqttrpc_error.3: the table of codes is not that of error.c: {wrong}")


def main():
    functions = {**read_header(), **read_glue()}
    paths = sorted(glob.glob(os.path.join(PAGES, "*.3")))
    seen, mentioned = {}, set()
    for path in paths:
        mentioned |= check_page(path, functions, seen)
        check_rendering(path)
    for path in sorted(glob.glob(os.path.join(PAGES, "*.7"))):
        mentioned |= set(re.findall(r"\bmqttrpc_\w+", read(path)))
        check_rendering(path)
    for name in sorted(set(functions) - set(seen)):
        fail(f"no page docs/man/*.3 has {name}()")
    titles = {os.path.basename(path)[:-2] for path in paths}
    for name in sorted(mentioned - set(functions) - titles):
        fail(f"a page mentions {name}, which does not exist")
    pages = {os.path.basename(path): read(path) for path in paths}
    check_constants(set(re.findall(r"\bMQTTRPC_\w+", "".join(pages.values()))))
    check_codes(pages["mqttrpc_error.3"])
    for text in failures:
        print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
