"""Looking at folders that no configuration describes yet, to write the first one."""
