"""The parts of the query parser: words, values, lexemes; used through `indexer.query_parser`.

Nothing here searches, and nothing here guesses: what is not understood is refused.
"""
