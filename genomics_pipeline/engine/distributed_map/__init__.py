"""The Distributed Map: reader, selector, batcher, children, tolerated failures, result files."""
