"""What can be done to gradients on their way between processes."""
