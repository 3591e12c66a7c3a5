"""Estimates that are learned from the completion records of earlier runs."""
