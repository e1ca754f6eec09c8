"""The circle: what an encoder must give up when a ring is encoded on a line."""
