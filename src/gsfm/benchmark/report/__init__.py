"""What a run shows: summary, figures, sections, Markdown and the page."""
