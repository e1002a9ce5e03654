"""What was asked for, what came, and when: the journal, its lock, its records."""
