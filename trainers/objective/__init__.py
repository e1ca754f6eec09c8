"""The objective of a trained game: fresh discriminators of its own kind on fixed E and G."""
