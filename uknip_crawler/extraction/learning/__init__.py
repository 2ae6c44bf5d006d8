"""What the captures of an archive teach of its layouts and its furniture, and reading by it."""
