"""Every error this package raises on purpose, and the exit status each one means.

    UknipError
     ├── UsageError            2   the command cannot mean anything
     ├── SiteUnavailable       4   the site is down, or asked us to wait
     ├── BudgetSpent               a run has made all the requests it may
     ├── StorageError          5   disk full, database damaged
     │    └── NewerArchive         … or a newer version's
     ├── ArchiveLocked        75   another run holds the lock
     ├── MachineError          3   another machine of ours fails: a Scrapyd server, a cluster's scheduler or worker
     │    └── MachineDown          … it does not answer
     ├── AddressRefused            an address we never ask for
     │    ├── HostRefused          … because of its host
     │    └── UrlRefused           … because of its form
     └── ContentError              a body that cannot be read as sent
          ├── ContentTooLarge
          ├── ContentTruncated
          ├── ContentUnreadable
          └── MediaRefused         … or an image that is not kept

A message is one line: what happened, where, what to do.
"""


class UknipError(Exception):
    """The root; `exit_status` is what the command line returns when nobody handles it."""

    exit_status = 3


class UsageError(UknipError):
    exit_status = 2


class SiteUnavailable(UknipError):
    exit_status = 4


class BudgetSpent(UknipError):
    """A run has made all the requests it may; what is left waits for the next."""


class StorageError(UknipError):
    exit_status = 5


class NewerArchive(StorageError):
    """A newer version of this program has written the archive."""


class ArchiveLocked(UknipError):
    exit_status = 75


class MachineError(UknipError):
    """Another machine of ours refuses, or answers what it never should."""


class MachineDown(MachineError):
    """It does not answer."""


class AddressRefused(UknipError):
    """Root of the refusals; its children say which ledger outcome applies."""


class HostRefused(AddressRefused):
    """The host is not the crawled site's."""


class UrlRefused(AddressRefused):
    """Not http(s), credentials, control characters, a foreign port, over 2,083 characters, malformed."""


class ContentError(UknipError):
    """Root of everything wrong with a body's transfer or encoding."""


class ContentTooLarge(ContentError):
    """The decoded body would exceed the limit."""


class ContentTruncated(ContentError):
    """The body, or the compressed stream in it, ends before its end."""


class ContentUnreadable(ContentError):
    """The body is not what its Content-Encoding says."""


class MediaRefused(ContentError):
    """Not an image of a type that is kept, cut short, or larger than is kept."""
