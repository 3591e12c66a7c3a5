"""Parameters of a step on Lambda that are files: small objects that only change between runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.stores.protocol import Expected, MissingObject, Store

COMPARED_S = 60.0  # an environment that stays warm looks for a new version after this time, or in another run


class ParameterFiles:
    """The files that parameters name, fetched once for each version, and kept in the environment's ``/tmp``.

    Args:
        store: The store that reads them.
        folder: The folder for copies.
        monotonic: The clock.

    Attributes:
        store: The store.
    """

    def __init__(self, store: Store, folder: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self._folder = folder
        self._monotonic = monotonic
        self._compared: dict[tuple[str, str], tuple[float, Path]] = {}
        self._fetched: dict[tuple[str, str], Path] = {}

    def values(self, specs: Mapping[str, ParameterSpec], given: Mapping[str, Any], run: str) -> dict[str, Any]:
        """Return the parameters' values, with a path on this machine for each file, but of a ranged one its URI.

        Args:
            specs: The step's parameters.
            given: The values that differ from the defaults.
            run: The name of the run, in which a file is compared with its object before it is used.

        Raises:
            MissingObject: for a file that does not exist.
            TransferFailed: for one that cannot be read.
        """
        values = {name: given.get(name, spec.default) for name, spec in specs.items()}
        for name, spec in specs.items():
            if spec.type == "file" and not spec.ranged and values[name] is not None:
                values[name] = str(self._path(str(values[name]), run))
        return values

    def _path(self, uri: str, run: str) -> Path:
        now = self._monotonic()
        compared = self._compared.get((run, uri))
        if compared is not None and now - compared[0] < COMPARED_S:
            return compared[1]
        path = self._current(uri)
        self._compared = {key: value for key, value in self._compared.items() if key[0] == run}
        self._compared[run, uri] = (now, path)
        return path

    def _current(self, uri: str) -> Path:
        """Return the path of the newest version of an object, which is fetched unless it is here."""
        if (info := self.store.stat(uri)) is None:
            raise MissingObject(uri)
        if (local := self.store.local(uri)) is not None:
            return local
        if (path := self._fetched.get((uri, info.version))) is None:
            folder = self._folder / sha256(f"{uri}\0{info.version}".encode()).hexdigest()
            folder.mkdir(parents=True, exist_ok=True)
            path = self._fetched[uri, info.version] = self.store.fetch(uri, folder, Expected(info.version))
        return path
