"""Texts found again without a network: an index on disk, what is alike, and the passages that show it.

``words`` makes terms of a text, ``spaces`` compares texts as vectors of terms, ``index`` keeps them and finds them,
``passages`` shows where two texts say the same.
"""
