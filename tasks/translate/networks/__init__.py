"""The networks that translation methods are built from."""
