"""The command line: thin commands, and the only place that builds adapters and reads the environment."""
