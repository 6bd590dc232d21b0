"""From a file to readable members: recognised by content, guarded, nothing written to disk."""
