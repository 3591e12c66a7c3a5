"""The entry point of `python -m genomics_pipeline`."""

from genomics_pipeline.cli.main import main

main()
