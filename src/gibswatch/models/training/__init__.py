"""Labelled days to a fitted model: the request, the folder of a run, epochs, the threshold."""
