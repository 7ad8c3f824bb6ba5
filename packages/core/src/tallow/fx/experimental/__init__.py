"""What PyTorch tries out with graphs."""
