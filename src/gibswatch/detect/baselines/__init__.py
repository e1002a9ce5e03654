"""Rules to compare with: the predecessor's, Worldview's, and the neighbouring days'."""
