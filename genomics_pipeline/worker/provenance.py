"""The identities of the parts of a task: files of inputs and parameters, and members of items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.provenance import DIGEST
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.inputs import InputFile

MEMBER_CHARACTERS = 200  # of a member of an item that a record holds as it is


def parameter_files(spec: StepSpec, parameters: Mapping[str, Value], store: Store) -> dict[str, str]:
    """Return the versions of the files that parameters name.

    Args:
        spec: The step.
        parameters: All parameters, with defaults.
        store: The store of the files.
    """
    versions = {}
    for name, value in parameters.items():
        if spec.parameters[name].type == "file" and isinstance(value, str) and (info := store.stat(value)):
            versions[name] = info.version
    return versions


def file_version(file: InputFile) -> str:
    """Return the version of a file, in which no URI has a secret; of an output of a run, its sha256."""
    if file.expected.sha256 is not None:
        return file.version
    return f"{without_secrets(file.uri)}{file.version.removeprefix(file.uri)}"


def member_version(value: Any) -> Value:
    """Return a member of an item, or the digest of one that may be long."""
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > MEMBER_CHARACTERS):
        return f"{DIGEST}{sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"
    short: Value = value
    return short
