"""The handlers of Task states' resources."""
