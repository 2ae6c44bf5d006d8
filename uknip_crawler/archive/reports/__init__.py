"""Reports: what an archive tells of its runs, its addresses, its coverage and its copies. Read-only."""
