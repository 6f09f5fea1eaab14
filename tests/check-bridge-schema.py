#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The schema of the bridge's policy, its reader and its manual page know the same keys, and the
example that is shipped fits the schema."""

import json
import os
import re
import sys

import jsonschema

SOURCE = os.environ["MQTTRPC_SRCDIR"]
STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def parse(text):
    """JSON with comments."""
    return json.loads(STRING_OR_COMMENT.sub(
        lambda m: m.group() if m.group().startswith('"') else " ", text))


def schema_keys(schema):
    """All names of "properties" in the schema, wherever they are."""
    if isinstance(schema, list):
        return set().union(*map(schema_keys, schema), set())
    if not isinstance(schema, dict):
        return set()
    keys = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    for name, value in schema.items():
        if name == "properties" and isinstance(value, dict):
            for inner in value.values():
                keys |= schema_keys(inner)
        else:
            keys |= schema_keys(value)
    return keys


def main():
    schema = json.loads(read("bridge", "bridge.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    in_schema = schema_keys(schema)
    in_reader = set(re.findall(r'\{"([^"]+)",\s*JSON_FIELD_', read("bridge", "policy-load.c")))
    manual = read("docs", "man", "mqttrpc-bridge.8")
    errors = [f"the schema has '{k}', the reader does not" for k in sorted(in_schema - in_reader)]
    errors += [f"the reader has '{k}', the schema does not" for k in sorted(in_reader - in_schema)]
    errors += [f"mqttrpc-bridge(8) does not say what '{k}' is" for k in sorted(in_reader)
               if not re.search(rf"^\.B {re.escape(k)}$", manual, re.MULTILINE)]
    example = parse(read("packaging", "bridge", "bridge.json.example"))
    errors += [f"the example: {e.json_path}: {e.message}" for e in validator.iter_errors(example)]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
