"""The Lexicon engine: schemas in, compiled validators out."""
