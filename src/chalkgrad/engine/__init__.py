"""The engine. Read it in one sitting: tensor, primitive, backward, and then tape, which spelling rests on."""
