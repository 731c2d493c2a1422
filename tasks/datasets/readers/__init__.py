"""One adapter a data-set format."""
