"""Measurements in a real browser. Nothing here asserts a time."""
