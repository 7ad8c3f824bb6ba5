"""What `python -m tallowaudio` does, one command a module; `tallowaudio.__main__` lists them."""
