"""The parts of the Elasticsearch index: mapping, spelling of queries, pages, bulk writing."""
