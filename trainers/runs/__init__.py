"""Running a recipe: flags, settings, the run itself, callbacks, checkpoints."""
