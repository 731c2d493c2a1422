"""The training of a translator: one loop for all learned methods, and what it is made of."""
