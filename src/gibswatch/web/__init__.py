"""The review page (after step 8)."""
