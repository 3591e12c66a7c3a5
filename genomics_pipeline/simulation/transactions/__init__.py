"""Simulated card transactions with known fraud, and the profiles of their accounts."""
