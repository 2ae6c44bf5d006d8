"""`python -m uknip_crawler` is `uknip`."""

from uknip_crawler.cli import main

if __name__ == "__main__":
    main()
