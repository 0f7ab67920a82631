"""The roof: wires, starts and supervises; the only package that knows every name."""
