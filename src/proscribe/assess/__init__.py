"""Assess an app from its own package: facts, evidence, access per content area, rating. See docs/guide/assess.md."""
