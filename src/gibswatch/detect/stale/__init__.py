"""Another day's pixels under the date that was asked for."""
