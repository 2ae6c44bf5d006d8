"""What a page says of its story: headline, dates, people, section, tags."""
