"""What experiments share: flags, directory, cells that are resumed; fresh judges, their figures."""
