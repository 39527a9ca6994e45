"""Many pictures at once: which look alike, which lie far from their group, which are nearest to one of them."""
