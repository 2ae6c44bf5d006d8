"""Jobs: what runs over a whole archive, one module each."""
