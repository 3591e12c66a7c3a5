"""Reruns: the samples that failed, once more."""
