"""Checks documents against the official TM Forum files, with unknown attributes forbidden."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SPECS = Path(__file__).parents[3] / "shared/tmf-specs"


@cache
def _definitions(file: str) -> dict[str, Any]:
    path = SPECS / f"{file}.swagger.json"
    if not path.exists():
        pytest.skip(f"the official file {path} is not here")
    definitions: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["definitions"]
    for definition in definitions.values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return definitions


def breaches(file: str, name: str, document: Any) -> list[str]:
    """What in a document is not as the definition ``name`` of an official file says."""
    schema = {"$ref": f"#/definitions/{name}", "definitions": _definitions(file)}
    return [f"{e.json_path}: {e.message}" for e in jsonschema.Draft4Validator(schema).iter_errors(document)]
