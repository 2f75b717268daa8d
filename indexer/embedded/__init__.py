"""The embedded engine, in parts; only `tantivy_index` puts them together."""
