"""Storage on one database: SQLite by default, PostgreSQL for several hosts."""
