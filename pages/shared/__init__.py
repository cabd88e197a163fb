"""What the pages share: state, loading, galleries, running. Not a page itself."""
