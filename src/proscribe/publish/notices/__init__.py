"""Notices of a decision in plain words and both languages: for the public, staff, departments and the vendor."""
