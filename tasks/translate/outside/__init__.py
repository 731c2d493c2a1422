"""What other programs make: their images found and matched, and the programs run."""
