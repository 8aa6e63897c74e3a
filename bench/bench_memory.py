"""A memory cgroup for a process that is measured, version 1 or 2."""

import os
import pathlib


def _own_groups():
    """(version, folder) of the memory cgroup that this process is in."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if "memory" in controllers.split(","):
            return 1, pathlib.Path("/sys/fs/cgroup/memory" + group)
    return 2, pathlib.Path("/sys/fs/cgroup" + group)


class MemoryLimit:
    """A cgroup below that of this process. `error` says why there is none; entering it is for a child process."""

    def __init__(self, limit_bytes):
        version, parent = _own_groups()
        if version == 1 and not parent.is_dir():
            parent = pathlib.Path("/sys/fs/cgroup/memory")
        self.folder = parent / f"seerdb_bench_{os.getpid()}"
        self.error = None
        try:
            self.folder.mkdir()
            limit = "memory.limit_in_bytes" if version == 1 else "memory.max"
            (self.folder / limit).write_text(str(limit_bytes))
        except OSError as error:
            self.error = f"no memory cgroup here ({error.strerror})"
            self.close()

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def close(self):
        if self.folder.is_dir():
            self.folder.rmdir()


def forget_pages(folder):
    """Writes the files of `folder` back and takes them out of the page cache, where they count for nobody's limit."""
    os.sync()
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
