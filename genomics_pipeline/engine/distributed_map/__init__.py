"""The Distributed Map: item reader and batcher, child executions, tolerated failures, result files."""
