"""The bundled sample site: an invented newsroom, its pages, and a server for them on loopback."""

from uknip_crawler.demo.newsroom import Newsroom, Work
from uknip_crawler.demo.server import SampleSite

__all__ = ["Newsroom", "SampleSite", "Work"]
