"""Is a crawl what this archive's own history and a few fixed floors lead one to expect? Pure: history and clock come in,
findings go out."""
