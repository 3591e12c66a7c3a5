"""Batch genomics at any scale: one definition, from a laptop to Step Functions Distributed Map."""

__version__ = "0.1.0"
