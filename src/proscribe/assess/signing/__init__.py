"""Publisher identity: whose valid signature a package carries, and whether the catalogue knows them."""
