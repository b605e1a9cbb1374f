"""Measurements of the cost of eventcal: CPU time per request and per part, SQL statements, memory and sizes.

CPU time is compared with that of baseline servers. These modules are not tests, and do not assert any figure. See
docs/benchmarks.md for the method.
"""
