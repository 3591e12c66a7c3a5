"""Runs in folders of this machine."""
