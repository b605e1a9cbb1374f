"""What eventcal costs: CPU a request beside a floor, the parts in one process, statements, memory, sizes.

Measures only; nothing here is a test, and no test asserts a figure. docs/benchmarks.md says what is measured and how.
"""
