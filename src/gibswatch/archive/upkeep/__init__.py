"""Keeping an archive true: verify, adopt, rebuild."""
