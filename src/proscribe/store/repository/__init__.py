"""One module a port; ``proscribe.store.repositories`` is the door."""
