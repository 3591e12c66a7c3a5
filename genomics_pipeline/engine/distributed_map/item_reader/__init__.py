"""ItemReader: the items of a Distributed Map, from objects; one file a format, one file a way to find the objects."""

from genomics_pipeline.engine.distributed_map.item_reader.item_reader import ItemReader

__all__ = ["ItemReader"]
