"""The law of names: rules as text. It knows functions and their words, and nothing of Tensors."""
