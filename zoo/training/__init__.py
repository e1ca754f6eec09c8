"""How a game is trained: steps, optimizers, averages of weights, checks of what is declared."""
