#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The mapping schema and the loader agree: every shipped mapping fits the schema, the schema tells
good from bad as the loader does, and both know the same keys."""

import json
import os
import re
import sys

import jsonschema

SOURCE = os.environ["MQTTRPC_SRCDIR"]
MAPPINGS = os.path.join(SOURCE, "mappings")

STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def parse(text):
    """JSON with comments."""
    return json.loads(STRING_OR_COMMENT.sub(
        lambda m: m.group() if m.group().startswith('"') else " ", text))


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def check_shipped(validator):
    names = [n for n in sorted(os.listdir(MAPPINGS))
             if n.endswith(".json") and n != "mapping.schema.json"]
    if not names:
        yield "no mapping is shipped"
    for name in names:
        for error in validator.iter_errors(parse(read("mappings", name))):
            yield f"{name}: {error.json_path}: {error.message}"


def check_samples(validator):
    """What the fuzz corpus keeps of good and bad mappings; its names say which is which."""
    folder = ("tests", "fuzz", "corpus", "fuzz-mapping")
    for name in ("hostname1", "five-lines", "everything", "clash", "two-objects", "filter",
                 "exceptions", "template", "templates", "template-shadowed", "family",
                 "providers"):
        if not validator.is_valid(parse(read(*folder, name))):
            yield f"the schema refuses the good mapping {name}"
    for name in ("bad-type", "no-object", "nul", "template-part", "template-bad-name",
                 "family-middle"):
        if validator.is_valid(parse(read(*folder, name))):
            yield f"the schema accepts the bad mapping {name}"


def schema_keys(schema):
    """All names of "properties" in the schema, wherever they are."""
    if isinstance(schema, list):
        return set().union(*map(schema_keys, schema), set())
    if not isinstance(schema, dict):
        return set()
    keys = set()
    for name, value in schema.items():
        if name == "properties" and "$ref" not in value:
            keys |= set(value)
        keys |= schema_keys(value)
    return keys


def loader_keys():
    """First column of the loader's tables."""
    keys = set()
    for name in ("mapping-load.c", "mapping-rule.c", "mapping-facade.c"):
        keys |= set(re.findall(r'\{"([^"]+)",\s*JSON_FIELD_', read("gateway", name)))
    return keys


def check_keys(schema):
    in_schema, in_loader = schema_keys(schema) - {"*"}, loader_keys()
    for key in sorted(in_schema - in_loader):
        yield f"the schema has '{key}', the loader does not"
    for key in sorted(in_loader - in_schema):
        yield f"the loader has '{key}', the schema does not"


def check_docs(validator):
    """Examples are whole mappings; each key is in the reference."""
    text = read("docs", "MAPPINGS.md")
    examples = re.findall(r"```jsonc\n(.*?)```", text, re.DOTALL)
    if not examples:
        yield "docs/MAPPINGS.md has no example"
    for example in examples:
        for error in validator.iter_errors(parse(example)):
            yield f"docs/MAPPINGS.md: {error.json_path}: {error.message}"
    for key in sorted(loader_keys()):
        if f"`{key}`" not in text:
            yield f"docs/MAPPINGS.md does not say what '{key}' is"


def main():
    schema = json.loads(read("mappings", "mapping.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    errors = [*check_shipped(validator), *check_samples(validator), *check_keys(schema),
              *check_docs(validator)]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
