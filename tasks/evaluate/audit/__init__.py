"""The audit of a translated set: what translation brought, and what it broke, before anything is trained on it."""
