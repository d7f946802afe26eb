"""SQL: rows in, domain values out, one module per family of tables."""
