"""The ground of the house: nouns, records, rules, the one write path, the one read path."""
