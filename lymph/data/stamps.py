"""What a file looked like when it was read, so that a cache notices when it has changed."""

import hashlib
import os
from pathlib import Path

from lymph import workspace

Stamp = tuple[int, int]


def stamp_of(path: Path | str) -> Stamp:
    """Return a file's time of change (ns) and length (bytes); (0, 0) when it is gone."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # a name that is no path, as one with a NUL
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def cache_folder(root: Path) -> Path:
    """Return the cache folder of one data root; two roots never share one."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return workspace.cache_home() / digest
