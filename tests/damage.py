"""What can happen to a file."""


def flip(path):
    """One bit in the middle is another."""
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)


def truncate(path, lost=1):
    """The last bytes are missing."""
    path.write_bytes(path.read_bytes()[:-lost])
