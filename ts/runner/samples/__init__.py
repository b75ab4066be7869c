"""What a served model can be asked at once: a photo, a digit, a sentence, a row of numbers."""
