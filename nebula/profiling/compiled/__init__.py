"""Kernels that read memory once, compiled by numba (extra `fast`)."""
