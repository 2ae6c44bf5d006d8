"""What runs a crawl again and again: how often, as units of systemd or a block of a crontab, and putting them in place."""
