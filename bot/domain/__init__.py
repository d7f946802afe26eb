"""Decisions: pure functions and frozen dataclasses, with no I/O, clock, randomness or logging."""
