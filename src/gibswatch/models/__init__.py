"""Vector or image to score (steps 9 and 10)."""
