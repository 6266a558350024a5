"""Test cases for policies: read, run, measured. Torch is loaded only for cases that bring data."""
