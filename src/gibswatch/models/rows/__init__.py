"""What a model learns from: a day, or each patch of it, as rows; and the matrix of all days."""
