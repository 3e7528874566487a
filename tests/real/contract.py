"""contract - docs/openapi.yaml, and whether an answer is one that it describes.

    contract = Contract()
    contract.check("GET", "/api/channels?limit=1", 200, headers, body)

SPDX-License-Identifier: MIT
"""

import json
import re

import jsonschema
import yaml
from weir_process import ROOT

METHODS = ("get", "put", "post", "delete", "options", "patch", "trace")


class Contract:
    def __init__(self, path=ROOT / "docs/openapi.yaml"):
        self.document = yaml.safe_load(path.read_text())
        self.whole = self.resolve(self.document)
        self.seen = set()  # (operationId, status)

    def resolve(self, value):
        """The same with what each $ref stands for. No schema of ours holds itself."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            found = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            return self.resolve(found)
        return {key: self.resolve(item) for key, item in value.items()}

    def operations(self):
        """(method, path, operation)"""
        for path, item in self.whole["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def path_item(self, target):
        """The item of the path that a request's target belongs to, or None."""
        path = target.split("?")[0]
        for template, item in self.whole["paths"].items():
            parts = ("[^/]*" if part.startswith("{") else re.escape(part) for part in template.split("/"))
            if re.fullmatch("/".join(parts), path):
                return item
        return None

    def expected(self, method, target, status, kind=None):
        """What is written of this answer. `kind`: it is one of x-everywhere."""
        if kind is not None:
            return self.whole["x-everywhere"][kind]
        item = self.path_item(target)
        if item is None:
            return self.whole["x-everywhere"]["unknown-path" if re.match("/api(/|$)", target) else "unknown-open-path"]
        operation = item.get("get" if method == "HEAD" else method.lower())
        if operation is None:
            if status in (401, 403):  # that goes first
                operation = next(item[method] for method in METHODS if method in item)
            else:
                return item["x-other-methods"]
        if str(status) not in operation["responses"]:
            raise AssertionError(f"{method} {target}: nothing is written of status {status}")
        self.seen.add((operation["operationId"], status))
        return operation["responses"][str(status)]

    def check(self, method, target, status, headers, body, kind=None):
        """`headers` is a mapping with get(). Returns the body: what JSON says, else text."""
        expected = self.expected(method, target, status, kind)
        for name, header in expected.get("headers", {}).items():
            value = headers.get(name)
            if value is None and header.get("required"):
                raise AssertionError(f"{method} {target}: {status} without {name}")
            if value is not None:
                validate(value, header["schema"], f"{method} {target}: {name}")
        media = headers.get("Content-Type").split(";")[0]
        if media not in expected["content"]:
            raise AssertionError(f"{method} {target}: {status} is {media}, not one of {list(expected['content'])}")
        if method == "HEAD":
            if body != b"":
                raise AssertionError(f"HEAD {target}: a body of {len(body)} bytes")
            return None
        found = json.loads(body) if media == "application/json" else body.decode()
        validate(found, expected["content"][media]["schema"], f"{method} {target}: {status}")
        return found


def validate(value, schema, what):
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if errors:
        raise AssertionError(f"{what}: {errors[0].message} (in {value!r})")
