"""What can be wrong with a database as a whole. Faults of one unit of work are `hub.ports.store`'s."""

from __future__ import annotations


class StorageError(Exception):
    """The database cannot be opened or used as it is; the message says what to do."""


class StoreMissing(StorageError):
    """There is no database at that place, and reading does not make one."""


class StoreLocked(StorageError):
    """Another hub owns the database file. The message names its process."""


class WrongKey(StorageError):
    """The database was sealed with another key."""


class SchemaUnknown(StorageError):
    """The schema is newer than this program, or not ours at all."""


class SchemaOutdated(StorageError):
    """The schema is older than this program: `trunkline db upgrade` brings it up."""


class FatalStoreError(StorageError):
    """What is on the disk can no longer be known (a failed fsync). The process must end.

    Retrying in place would be a lie: after a failed fsync the kernel may have thrown the pages
    away and call the next fsync a success.
    """
