"""The handlers of Task states' resources on this machine."""
