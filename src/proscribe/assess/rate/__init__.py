"""From facts to findings, from findings to the access map and the rating. Pure: no clock, no locale, no files."""
