"""Records: the codecs of the native form, the lexicon engine and the lenses to nouns."""
