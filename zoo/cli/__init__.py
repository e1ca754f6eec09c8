"""Command lines: flags, tables in Markdown, versions and machine."""
