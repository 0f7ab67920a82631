"""The wings: three protocols, the shared hall, identity and the pages a person sees."""
