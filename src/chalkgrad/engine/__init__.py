"""The engine. Read it in one sitting: rule, primitive, tensor, backward; then tape, shapes, errors and random."""
