"""The state types, one module each, and their common parts: Retry, Catch, timeouts."""
