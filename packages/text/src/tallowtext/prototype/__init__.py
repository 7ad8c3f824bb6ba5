"""What torchtext had under this name."""
