"""What a run would find in the store and what it would build, told before anything starts."""
