"""The use cases: start runs on this machine and on AWS, follow them, rerun them, and read their results."""
