"""The name of the distribution: the command `gan-zoo`. The library is `import zoo`."""
