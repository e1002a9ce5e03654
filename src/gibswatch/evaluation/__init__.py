"""Tables of scores and labels to metrics and comparisons (step 6)."""
