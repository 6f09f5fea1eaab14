#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `emit` writes is valid: OpenRPC and AsyncAPI documents by schemas, schemas in them by that of
JSON Schema, the D-Bus policy as XML, the ACL line by line. The schemas in tests/data are written by
hand and cover the parts of both standards that are used here: tests do not download anything."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import jsonschema

SOURCE = os.environ["MQTTRPC_SRCDIR"]
GATEWAY = os.path.join(os.environ["MQTTRPC_BINDIR"], "dbus-mqtt-gateway")
CORPUS = os.path.join(SOURCE, "tests", "fuzz", "corpus", "fuzz-mapping")
MAPPINGS = os.path.join(SOURCE, "mappings")

ACL_LINE = re.compile(r"^(|#.*|user [A-Za-z0-9_.-]+|(topic|pattern) (read|write|readwrite) mb1/\S+)$")


def emit(kind, *arguments):
    return subprocess.run([GATEWAY, "emit", kind, *arguments], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def files():
    """All shipped mappings, and those of the corpus with every key and with templates."""
    shipped = [os.path.join(MAPPINGS, n) for n in sorted(os.listdir(MAPPINGS))
               if n.endswith(".json") and n != "mapping.schema.json"]
    return shipped + [os.path.join(CORPUS, n) for n in ("everything", "templates", "family")]


def schemas(value):
    """Every schema of a document: what stands at a key "schema" or "payload"."""
    if isinstance(value, list):
        for item in value:
            yield from schemas(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("schema", "payload"):
                yield item
            else:
                yield from schemas(item)


def check_document(kind, text):
    with open(os.path.join(SOURCE, "tests", "data", f"{kind}.schema.json"),
              encoding="utf-8") as file:
        schema = json.load(file)
    document = json.loads(text)
    for error in jsonschema.Draft7Validator(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message}"
    for item in schemas(document):
        for error in jsonschema.Draft7Validator(
                jsonschema.Draft7Validator.META_SCHEMA).iter_errors(item):
            yield f"the schema {item}: {error.message}"
    if kind == "openrpc":
        names = [method["name"] for method in document["methods"]]
        yield from (f"two methods are called {n}" for n in set(names) if names.count(n) > 1)


def check_acl(text):
    for line in text.split("\n"):
        if not ACL_LINE.match(line):
            yield f"not a line of an acl_file: {line}"


def check_policy(text):
    root = xml.etree.ElementTree.fromstring(text)
    rules = root.findall("./policy[@user='mqttrpc-gateway']/*")
    if root.tag == "busconfig" and not rules and "a policy speaks of one name" in text:
        return  # a family alone
    if root.tag != "busconfig" or not rules or {r.tag for r in rules} != {"deny", "allow"}:
        yield "not a policy with rules"
    for rule in rules:
        if "send_destination" not in rule.attrib:
            yield f"a rule without a destination: {rule.attrib}"


def check_markdown(text):
    if not text.startswith("# "):
        yield "no heading"


def main():
    errors = []
    for file in files():
        for kind in ("openrpc", "asyncapi"):
            errors += [f"{kind} {file}: {e}" for e in check_document(kind, emit(kind, file))]
        errors += [f"markdown {file}: {e}" for e in check_markdown(emit("markdown", file))]
        errors += [f"mosquitto-acl {file}: {e}" for e in check_acl(emit(
            "mosquitto-acl", "--grant", "read=alice,*", "--grant", "admin=root", file))]
    for file in files():
        if not file.endswith("family"):
            errors += [f"dbus-policy {file}: {e}" for e in check_policy(emit("dbus-policy", file))]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
