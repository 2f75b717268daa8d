"""Disks that fail: small ones that fill up, and file systems in a file whose power is cut."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHUTDOWN = 0x8004587D
"""FS_IOC_SHUTDOWN (Linux `fs/xfs/libxfs/xfs_fs.h`, `fs/ext4/ext4.h`)."""
NOLOGFLUSH = 2
"""Drop everything that is not on the medium, the journal's tail included."""
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
_SIZES = {"ext4": "128M", "xfs": "320M"}


@dataclass(slots=True)
class LoopDisk:
    """One file system in a file, mounted or not."""

    kind: str
    image: Path
    at: Path
    device: str = ""

    def mount(self) -> None:
        """Attach the image to a fresh device and mount it; a journal is replayed."""
        found = _run("losetup", "-f", "--show", str(self.image))
        self.device = found.strip()
        _run("mount", "-t", self.kind, self.device, str(self.at))

    def cut_power(self) -> None:
        """Stop the file system at once, as the loss of power would; needs a mounted one."""
        cut_power(self.at)

    def unmount(self) -> None:
        """Unmount and let go of the device."""
        if self.device:
            _run("umount", str(self.at))
            _run("losetup", "-d", self.device)
            self.device = ""


def cut_power(folder: Path) -> None:
    """Cut the power of the file system that holds the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NOLOGFLUSH))
    finally:
        os.close(descriptor)


@contextmanager
def loop_disk(
    folder: Path, kind: str, *, on: Path | None = None, size: str = ""
) -> Iterator[LoopDisk]:
    """Make a file system in a file and mount it for the time of the block.

    Args:
        folder: For the mount point and, unless `on` is given, the image.
        kind: `ext4` or `xfs`.
        on: Where the image stands; a disk that is smaller than the image says it is.
        size: Of the image; a fitting one by default.
    """
    at = folder / "disk"
    at.mkdir(parents=True)
    image = (on or folder) / "image"
    _run("truncate", "-s", size or _SIZES[kind], str(image))
    _run(*MAKE[kind], str(image))
    disk = LoopDisk(kind, image, at)
    disk.mount()
    try:
        yield disk
    finally:
        with suppress(AssertionError):
            disk.unmount()
        if disk.device:  # a failed opening may hold a file until it is collected
            subprocess.run(["umount", "-l", str(at)], check=False)
            subprocess.run(["losetup", "-d", disk.device], check=False)
        image.unlink(missing_ok=True)


@contextmanager
def memory_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of this size on the folder, which may exist, for the time of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "holdfast-test", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def grow(folder: Path, size: str) -> None:
    """Give a mounted tmpfs another size: space was freed."""
    _run("mount", "-o", f"remount,size={size}", str(folder))


@cache
def can_mount() -> bool:
    """Tell whether this host lets us mount."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        return False
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "probe", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@cache
def can_loop(kind: str) -> bool:
    """Tell whether this host has loop devices and the tools of this file system."""
    if not can_mount() or shutil.which(MAKE[kind][0]) is None or shutil.which("losetup") is None:
        return False
    found = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return found.returncode == 0 and Path("/dev/loop-control").exists()


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}")
    return done.stdout
