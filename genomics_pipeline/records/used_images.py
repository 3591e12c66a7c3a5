"""`images.json`: the image of each step whose tasks ran in containers, by its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord, read_fields
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, Store

KIND = RecordKind("the record of a run's images", "repeat the command of the run")


@dataclass(frozen=True, slots=True)
class UsedImage:
    """An image.

    Attributes:
        name: Its name and tag.
        image_id: A digest: its ID in the container engine, or the sha256 of its SIF file.
        file: The path of its SIF file, of an image that Apptainer ran; empty for others.
        registry: The registry that Apptainer pulls it from, as the user gave it; empty for none.
    """

    name: str
    image_id: str
    file: str = ""
    registry: str = ""


def write_images(store: Store, run: RunPlace, images: Mapping[str, UsedImage]) -> None:
    """Write ``images.json``: the image of each step of the newest execution."""
    text = json.dumps({step: asdict(image) for step, image in images.items()}, indent=2)
    store.write(run.uri(run_layout.IMAGES), f"{text}\n".encode())


def read_images(store: ObjectReader, run: RunPlace) -> dict[str, UsedImage]:
    """Return the image of each step; none where no container ran, and where they cannot be read."""
    try:
        fields = read_fields(store, run.uri(run_layout.IMAGES), KIND)
        return {step: _image(fields.object(step)) for step in fields.members}
    except (MissingObject, UnreadableRecord):
        return {}


def _image(fields: Fields) -> UsedImage:
    names = ("name", "image_id", "file", "registry")
    return UsedImage(*(fields.text(name) for name in names))
