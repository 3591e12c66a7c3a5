"""The use cases: run a manifest, run one step, find pipelines and steps."""
