#!/usr/bin/env python3
"""Writes contract/published.json: what the published contract asks of each operation.

    scripts/contract-list.py OPENAPI.json [OUT.json]

Facts only: paths, methods, statuses, names of parameters and of required fields. A test of crates/server
compares our own document against the list (crates/server/src/api/contract.rs).
"""

import json
import re
import sys
from pathlib import Path

METHODS = ("get", "put", "post", "patch", "delete")
# All operations of the contract stand below this.
BELOW = "/accounts/{}/realtime/kit"


class Document:
    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            node = target
        return node if isinstance(node, dict) else {}

    def required(self, schema, path="", seen=()):
        """Dotted paths of all fields that must be there wherever what they stand in is there.

        `[]` is an element of an array. Of alternatives, only what all of them require counts.
        """
        schema = self.resolve(schema)
        if any(schema is node for node in seen):
            return set()
        seen = (*seen, schema)
        found = set()
        for name in schema.get("required", []):
            found.add(join(path, name))
        for name, field in schema.get("properties", {}).items():
            found |= self.required(field, join(path, name), seen)
        if "items" in schema:
            found |= self.required(schema["items"], f"{path}[]", seen)
        for part in schema.get("allOf", []):
            found |= self.required(part, path, seen)
        for key in ("oneOf", "anyOf"):
            alternatives = [self.required(part, path, seen) for part in schema.get(key, []) if not is_null(part)]
            if alternatives:
                found |= set.intersection(*alternatives)
        return found

    def body(self, holder):
        """The schema of a JSON body, of a request or a response."""
        content = self.resolve(holder).get("content", {})
        return content.get("application/json", {}).get("schema", {})

    def operation(self, path, method, operation, shared):
        parameters = [self.resolve(parameter) for parameter in [*shared, *operation.get("parameters", [])]]
        query = {p["name"]: p.get("required", False) for p in parameters if p["in"] == "query"}
        responses = operation.get("responses", {})
        success = sorted(status for status in responses if status.startswith("2"))
        request = operation.get("requestBody")
        return {
            "method": method.upper(),
            "path": path,
            "path_parameters": path.count("{}"),
            "query": sorted(query),
            "query_required": sorted(name for name, required in query.items() if required),
            "body": self.resolve(request).get("required", False) if request else None,
            "body_required": sorted(self.required(self.body(request))) if request else [],
            "success": [int(status) for status in success],
            "errors": sorted(int(s) for s in responses if s.isdigit() and s not in success),
            "response_required": {
                status: sorted(self.required(self.body(responses[status])))
                for status in sorted(responses)
                if status.isdigit()
            },
        }


def join(path, name):
    return f"{path}.{name}" if path else name


def is_null(schema):
    return schema.get("type") == "null"


def operations(document):
    reader = Document(document)
    for path, item in document["paths"].items():
        normalised = re.sub(r"\{[^}]*\}", "{}", path).removeprefix(BELOW)
        for method in METHODS:
            if method in item:
                yield reader.operation(normalised, method, item[method], item.get("parameters", []))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.split("\n\n")[1].strip())
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent.parent / "contract" / "published.json"
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listed = sorted(operations(document), key=lambda operation: (operation["path"], operation["method"]))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"operations": listed}, indent=1) + "\n", encoding="utf-8")
    print(f"{out}: {len(listed)} operations")


if __name__ == "__main__":
    main()
