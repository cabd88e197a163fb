"""Pictures on a page: galleries, the viewer, and the explanation over them."""
