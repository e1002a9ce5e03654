"""Imagery that lies where it does not belong: displaced granules and warped edges of swaths."""
