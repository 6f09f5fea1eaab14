#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What real services say of themselves, as facts, and the shipped mappings against that.

    introspection-facts.py record --bus ADDRESS --version TEXT [--xml FILE]... [--only INTERFACE]...
            [--skip INTERFACE]... NAME
    introspection-facts.py xml FILE
    introspection-facts.py check GATEWAY MAPPINGS FACTS

"record" walks through the objects of a running service with busctl and prints one line for each
member. --xml adds an introspection file, for interfaces of objects that are not there; --only keeps
these interfaces, --skip leaves them out. The second line of a file of facts says what it was
recorded with. "xml" makes introspection data of facts. "check" compares each mapping with the facts
of its D-Bus name by "dbus-mqtt-gateway diff". A mapping without facts fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

# What every service has, what all of systemd's have for debugging, and what only mocks have.
IGNORED = ("org.freedesktop.DBus.", "org.freedesktop.LogControl1", "org.bluez.Mock",
           "org.freedesktop.ModemManager1.Test")
NOTES = {"org.freedesktop.DBus.Deprecated": "deprecated",
         "org.freedesktop.DBus.Method.NoReply": "no-reply",
         "org.freedesktop.systemd1.Privileged": None}
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


# ---- facts of introspection data ----

def notes_of(member):
    found = []
    for note in member.findall("annotation"):
        if note.get("name") == EMITS and note.get("value") != "true":
            found.append("emits=" + note.get("value"))
        elif NOTES.get(note.get("name")) and note.get("value") == "true":
            found.append(NOTES[note.get("name")])
    return found


def args_of(member, direction, default):
    return ["%s:%s" % (arg.get("name", ""), arg.get("type")) for arg in member.findall("arg")
            if arg.get("direction", default) == direction]


def line_of(member):
    words = [member.tag, member.get("name")]
    if member.tag == "method":
        words += args_of(member, "in", "in") + ["->"] + args_of(member, "out", "in")
    elif member.tag == "signal":
        words += args_of(member, "out", "out") + args_of(member, "in", "out")
    else:
        words += [member.get("type"), member.get("access")]
    return " ".join(words + notes_of(member))


def add_facts(facts, text):
    """Adds the interfaces of one node; an interface has one definition, the first that is seen."""
    root = ElementTree.fromstring(text)
    for interface in root.iter("interface"):
        lines = [line_of(member) for member in interface
                 if member.tag in ("method", "property", "signal")]
        head = " ".join([interface.get("name")] + notes_of(interface))
        facts.setdefault(head, lines)
    return [node.get("name") for node in root.findall("node") if node.get("name")]


# ---- recording ----

def busctl(bus, *arguments):
    return subprocess.run(["busctl", "--address=" + bus, "--json=short", *arguments], check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout


def introspect(bus, name, path):
    answer = busctl(bus, "call", name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
    return json.loads(answer)["data"][0]


def walk(bus, name):
    facts, paths = {}, ["/"]
    while paths:
        path = paths.pop(0)
        try:
            children = add_facts(facts, introspect(bus, name, path))
        except (subprocess.CalledProcessError, ElementTree.ParseError):
            continue
        paths += [path.rstrip("/") + "/" + child for child in children]
        if len(paths) > 10000:
            sys.exit("%s: a tree without end" % name)
    return facts


def is_wanted(head, options):
    name = head.split()[0]
    if name.startswith(IGNORED) or name in options.skip:
        return False
    return not options.only or name in options.only


def print_facts(facts):
    for head in sorted(facts):
        print("\ninterface " + head)
        for line in facts[head]:
            print(line)


def cmd_record(options):
    facts = walk(options.bus, options.name)
    for file in options.xml:
        with open(file, encoding="utf-8") as stream:
            add_facts(facts, stream.read())
    facts = {head: lines for head, lines in facts.items() if is_wanted(head, options)}
    if not facts:
        sys.exit("%s says nothing" % options.name)
    print("# %s: %s" % (options.name, options.version))
    if options.xml or options.only or options.skip:
        words = ["--xml " + os.path.basename(file) for file in options.xml]
        words += ["--only " + name for name in options.only]
        words += ["--skip " + name for name in options.skip]
        print("# record " + " ".join(words))
    print_facts(facts)


# ---- introspection data of facts ----

def note(name, value):
    return '<annotation name="%s" value="%s"/>' % (name, value)


def notes_xml(words):
    out = ""
    for word in words:
        if word.startswith("emits="):
            out += note(EMITS, word[len("emits="):])
        for name, short in NOTES.items():
            if word == short:
                out += note(name, "true")
    return out


def arg_xml(word, direction):
    name, kind = word.rsplit(":", 1)
    return '<arg name="%s" type="%s"%s/>' % (name, kind, direction) if name else \
        '<arg type="%s"%s/>' % (kind, direction)


def member_xml(words):
    kind, name, rest = words[0], words[1], words[2:]
    if kind == "property":
        return '<property name="%s" type="%s" access="%s">%s</property>' % (
            name, rest[0], rest[1], notes_xml(rest[2:]))
    body, direction = "", ' direction="in"' if kind == "method" else ""
    for word in rest:
        if word == "->":
            direction = ' direction="out"'
        elif ":" in word:
            body += arg_xml(word, direction)
    return '<%s name="%s">%s%s</%s>' % (kind, name, body, notes_xml(rest), kind)


def facts_xml(file):
    out, is_open = "<node>\n", False
    with open(file, encoding="utf-8") as stream:
        for line in stream:
            words = line.split()
            if not words or words[0] == "#":
                continue
            if words[0] == "interface":
                out += "</interface>\n" * is_open
                out += '<interface name="%s">%s\n' % (words[1], notes_xml(words[2:]))
                is_open = True
            else:
                out += member_xml(words) + "\n"
    return out + "</interface>\n" * is_open + "</node>\n"


def cmd_xml(options):
    sys.stdout.write(facts_xml(options.file))


# ---- comparing ----

def diff(options, mapping, facts):
    """The lines of diff that are differences."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as xml:
        xml.write(facts_xml(facts))
        xml.flush()
        done = subprocess.run([options.gateway, "diff", "--xml", xml.name, mapping], check=False,
                              stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode not in (0, 1):
        return ["it cannot be compared with " + facts]
    return done.stdout.splitlines()


def bus_name_of(options, mapping):
    """The comments of a mapping are for the gateway to read: it writes the name elsewhere, too."""
    done = subprocess.run([options.gateway, "emit", "dbus-policy", mapping], check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout
    for line in done.splitlines():
        if "<deny send_destination=" in line:
            return line.split('"')[1]
        if "a policy speaks of one name" in line:
            return line.split()[1].rstrip(":").removesuffix(".*")
    raise ValueError(mapping)


def check_warnings(options):
    """Shipped mappings give no warnings, nor do they clash with each other."""
    done = subprocess.run([options.gateway, "check", options.mappings], check=False,
                          stderr=subprocess.STDOUT, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode == 0 and " 0 errors, 0 warnings" in done.stdout:
        return 0
    print(done.stdout)
    return 1


def cmd_check(options):
    bad = 0
    used = set()
    mappings = [name for name in sorted(os.listdir(options.mappings))
                if name.endswith(".json") and name != "mapping.schema.json"]
    for name in mappings:
        mapping = os.path.join(options.mappings, name)
        facts = bus_name_of(options, mapping) + ".txt"
        used.add(facts)
        path = os.path.join(options.facts, facts)
        lines = diff(options, mapping, path) if os.path.exists(path) else ["there is no " + path]
        for line in lines:
            print("%s: %s" % (name, line))
        bad += len(lines)
        if not lines:
            print("ok %s" % name)
    for facts in sorted(set(os.listdir(options.facts)) - used):
        print("%s: no mapping has use for it" % facts)
        bad += 1
    if not mappings:
        sys.exit("%s: no mappings" % options.mappings)
    bad += check_warnings(options)
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("record")
    verb.add_argument("--bus", required=True)
    verb.add_argument("--version", required=True)
    verb.add_argument("--xml", action="append", default=[])
    verb.add_argument("--only", action="append", default=[])
    verb.add_argument("--skip", action="append", default=[])
    verb.add_argument("name")
    verb.set_defaults(run=cmd_record)
    verb = verbs.add_parser("xml")
    verb.add_argument("file")
    verb.set_defaults(run=cmd_xml)
    verb = verbs.add_parser("check")
    verb.add_argument("gateway")
    verb.add_argument("mappings")
    verb.add_argument("facts")
    verb.set_defaults(run=cmd_check)
    options = parser.parse_args()
    sys.exit(options.run(options))


if __name__ == "__main__":
    main()
