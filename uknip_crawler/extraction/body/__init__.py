"""Where a page has its story, and its blocks: without what was learned."""
