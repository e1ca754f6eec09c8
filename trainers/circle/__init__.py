"""The circle: the points that an encoder must lose if it encodes a ring on a line."""
