"""Self-contained HTML pages: markup in one language and one style sheet, shared by every report."""
