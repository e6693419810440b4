"""Steps, oldest first; a released step is never edited."""
