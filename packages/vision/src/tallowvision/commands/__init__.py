"""What `python -m tallowvision` does, one command a module; `tallowvision.__main__` lists them."""
