"""Which files below a folder are images; files left by operating systems are skipped."""

import collections
import os
import pathlib

# Formats that Pillow reads with 8 bits; of a file with several pictures, the first.
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif", ".pcx", ".sgi"),
    *(".jp2", ".j2k", ".jpx"),
)
# Written by systems, not by users, at any level, in lower case; also all names that begin with a
# dot.
_SYSTEM = {
    *("__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
    *("thumbs.db:encryptable", "network trash folder", "temporary items", "__pycache__"),
    *("$recycle.bin", "system volume information", "recycler", "#recycle", "@recycle"),
    *("#snapshot", "~snapshot", "@recently-snapshot", "@tmp", "@sharebin", "@__thumb"),
    *("lost+found", "found.000"),
}


def images(root: pathlib.Path) -> tuple[list[pathlib.Path], collections.Counter]:
    """Lists the image files below a folder.

    Hidden files and folders, and those of operating systems and file servers, are skipped. A
    link to a folder is followed, unless that folder is read already: each is read once, so that
    links cannot go round in circles.

    Args:
      root: the folder.

    Returns:
      (the files in alphabetical order of their paths, suffix → number of other files). A
      link of an image's name that is broken is among the files, so that reading it fails.
      A link to a folder that is read already is counted by its name.
    """
    found, others = [], collections.Counter()
    seen = {os.path.realpath(root)}
    folders, links = [root], []
    # All real folders first, so that the one that is read is the folder itself and not a link.
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        if folder.is_symlink() and folder != root:
            if os.path.realpath(folder) in seen:
                others[f"link {folder.relative_to(root)}, to a folder that is read already"] += 1
                continue
        seen.add(os.path.realpath(folder))
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") or entry.name.lower() in _SYSTEM:
                continue
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(entry)
            elif entry.suffix.lower() not in SUFFIXES:
                others[entry.suffix.lower() or "no suffix"] += 1
            elif entry.is_file() or entry.is_symlink():
                found.append(entry)
    return sorted(found, key=lambda file: file.relative_to(root).parts), others


def told(others: collections.Counter) -> str:
    """One line about files that are not images, such as "2 files are not read: 1 .txt, 1 .xml"."""
    most = sorted(others.items(), key=lambda item: (-item[1], not item[0].startswith("."), item[0]))
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in most[:8])
    more = ", …" if len(others) > 8 else ""
    count = others.total()
    return f"{count} file{' is' if count == 1 else 's are'} not read: {kinds}{more}"
