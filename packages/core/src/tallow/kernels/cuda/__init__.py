"""CUDA: what opens CuPy (`opening`), and kernels in CUDA C++ with the Python that launches them.

A family of operations is a pair of files, such as `rows.cu` and `rows.py`. Nothing but `opening`
imports CuPy: an array says by its type who launches on it, so that tests run the same kernels,
compiled for the processor, on a stand-in's arrays.
"""
