"""Scrapy's settings for this project, and our own (UKNIP_…). Slow and honest by default."""

from __future__ import annotations

from typing import Any

from uknip_crawler import __version__

BOT_NAME = "uknip"
SPIDER_MODULES = ["uknip_crawler.spiders"]
NEWSPIDER_MODULE = "uknip_crawler.spiders"

# Who we are: UKNIP_CONTACT (an address or a page) goes into the user agent
UKNIP_CONTACT = ""
UKNIP_ARCHIVE = "archive"
UKNIP_BASE_URL = "https://uknip.co.uk/"

# Manners
CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 1.0
DOWNLOAD_DELAY_JITTER = 0.25
UKNIP_RETRY_AFTER_MAX_SECONDS = 600.0
"""A longer wait than this ends the run: the rest is deferred to the next."""
UKNIP_REFUSALS_IN_A_ROW = 5
"""So many 429 or 503 answers without a good one in between end the run."""
UKNIP_ERRORS_IN_A_ROW = 20
"""So many other 5xx answers in a row, retries counted, end the run: the site is down."""
UKNIP_CRAWL_DELAY_MAX_SECONDS = 300.0
"""A robots.txt that asks for longer pauses wants no crawl: the run ends before it begins."""
RETRY_TIMES = 3
UKNIP_RETRY_BACKOFF_SECONDS = 2.0
ROBOTSTXT_OBEY = (
    False  # the spider obeys RFC 9309 itself: Scrapy's middleware allows everything when robots.txt fails
)

# What we take and give: only http(s), nothing that listens, no cookies, certificates checked
COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_HANDLERS: dict[str, str | None] = {
    **dict.fromkeys(("http", "https"), "uknip_crawler.middlewares.DownloadHandler"),
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}
DOWNLOAD_TIMEOUT = 45
DOWNLOAD_MAXSIZE = 16 * 2**20
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = False  # a short body is kept, flagged and recorded as dataloss
UKNIP_IMAGE_MAX_BYTES = 20 * 2**20
UKNIP_IMAGE_MAX_PIXELS = 100_000_000
"""A larger image is not kept: it would decode to more than 400 MB in whatever shows it."""
TWISTED_DNS_RESOLVER = "uknip_crawler.middlewares.PublicResolver"
HTTPPROXY_ENABLED = True
# gzip is all we ask for, so that captures decode with the standard library, within limits, for years
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
    "Accept-Encoding": "gzip",
}
USER_AGENT = f"uknip/{__version__} (news archive for research)"
REFERER_ENABLED = False

# Redirects, retries and encodings are ours to record: each would otherwise drop responses without a trace
COMPRESSION_ENABLED = False
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
RETRY_ENABLED = False
URLLENGTH_LIMIT = 0

DOWNLOADER_MIDDLEWARES = {
    "uknip_crawler.middlewares.PolitenessMiddleware": 550,
    "uknip_crawler.middlewares.CaptureMiddleware": 950,  # below everything: sees bytes as received
}
ITEM_PIPELINES = {
    "uknip_crawler.pipelines.ExtractionPipeline": 300,
    "uknip_crawler.pipelines.ArchivePipeline": 500,
}
EXTENSIONS: dict[str, Any] = {"uknip_crawler.extensions.Progress": 500}

# Extraction runs beside the crawl
UKNIP_EXTRACTION_WORKERS = 1
UKNIP_EXTRACTION_TIMEOUT_SECONDS = 20
UKNIP_EXTRACTION_MEMORY_BYTES = 2**30

UKNIP_LIVE_LINE = True
"""On a terminal, how far the crawl is stands in one line that changes; else a line a minute is logged."""
STATS_DUMP = False
LOG_LEVEL = "INFO"
LOGSTATS_INTERVAL = 0
MEMUSAGE_ENABLED = False
WARN_ON_GENERATOR_RETURN_VALUE = False
