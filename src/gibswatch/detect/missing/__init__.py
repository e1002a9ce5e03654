"""Missing data: every black pixel gets a reason, what has none is a finding."""
