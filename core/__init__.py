"""The words: record types, ids, ports, errors, the query tree and its evaluator.

Nothing here touches disk, network, environment or clock, and nothing here imports another folder.
"""
