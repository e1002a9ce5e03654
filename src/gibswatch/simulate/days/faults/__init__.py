"""Faults of simulated days: what they do, where a plan puts them, and how they are drawn."""
