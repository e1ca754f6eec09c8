"""Training of a game: steps, optimizers, averages of weights, checks of declarations."""
