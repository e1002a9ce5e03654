"""Models on disk: written whole, and read without running anything of a file."""
