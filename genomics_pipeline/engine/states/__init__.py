"""The state types, one file each, and what they share: Retry, Catch, timeouts."""
