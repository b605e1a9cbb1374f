"""Measurements of what eventcal costs: CPU per request, parts in one process, SQL statements, memory and sizes.

CPU is compared with that of a minimal Flask app. These modules only measure: none is a test, and none asserts a
figure. docs/benchmarks.md describes what is measured and how.
"""
