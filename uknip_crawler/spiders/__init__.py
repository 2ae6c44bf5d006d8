"""The spider, and how it learns which stories the site has."""
