"""Floor 4, what people and programs see: pages/ for browsers, commands/ for the shell."""
