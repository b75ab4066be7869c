"""Where the answers of a job are written: JSON lines and CSV as they come, Parquet when all are there."""
