"""Advice on any Amazon States Language definition: structure and cost, one small file for each family of rules."""
