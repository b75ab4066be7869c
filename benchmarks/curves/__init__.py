"""How rate, p99 and memory grow with what is asked: batches, photos, classes, texts, workers, archives."""
