"""Command lines: flags, tables in Markdown, what the machine is."""
