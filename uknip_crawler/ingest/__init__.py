"""Ingest: one visit of one address on its way into the archive, made live or read from captures."""
