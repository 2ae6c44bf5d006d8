"""Reading the archive in the browser: Datasette, its metadata, and one plugin of our own."""
