"""A day's pixels on disk, in whatever format."""
