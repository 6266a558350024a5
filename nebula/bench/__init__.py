"""Benchmarks of the choice itself: is it what an expert names, and does it train better?"""
