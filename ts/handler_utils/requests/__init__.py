"""The requests of a batch: their rows, payloads and options, and the errors and answers that each row gets."""
