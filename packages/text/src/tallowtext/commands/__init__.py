"""What `python -m tallowtext` does, one command a module; `tallowtext.__main__` lists them."""
