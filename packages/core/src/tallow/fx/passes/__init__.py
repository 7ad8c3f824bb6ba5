"""What programs do with a whole graph."""
