"""Faults that a satellite's own view shows: scans and granules, not rows and columns."""
