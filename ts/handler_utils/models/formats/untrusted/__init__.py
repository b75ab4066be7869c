"""Files of models that their archive does not trust: what would run code is found before torch reads it."""
