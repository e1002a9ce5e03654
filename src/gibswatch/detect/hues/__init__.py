"""Hues as the predecessor counted them: of every day, of normal days, and which are rare."""
