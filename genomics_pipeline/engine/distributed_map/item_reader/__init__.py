"""ItemReader, which reads the items of a Distributed Map: one module for each format and each kind of manifest."""

from genomics_pipeline.engine.distributed_map.item_reader.item_reader import ItemReader

__all__ = ["ItemReader"]
