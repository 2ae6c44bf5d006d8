"""Many sites on many machines: Scrapyd runs the crawls (https://scrapyd.readthedocs.io), this says which and where."""
