"""What every experiment shares: its flags, its directory, the cells that are resumed."""
