"""Other projects' job queues doing one job per order. Run with an interpreter that has them installed.

Each script takes one JSON argument and prints `{"rate": orders per second, "drain": the same without
queueing}`. They import nothing of the product.
"""
