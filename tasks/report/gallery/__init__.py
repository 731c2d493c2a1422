"""The report's pictures: which are shown, how they are drawn, and how they are packed into the page."""
